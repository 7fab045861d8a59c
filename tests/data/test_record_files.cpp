// The published files of CIFAR-10 and CIFAR-100: reading and rejecting them.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/checksum.h"
#include "engine/data/cifar10.h"
#include "engine/data/find_data.h"
#include "tests/catch.h"
#include "tests/io/temporary_folder.h"

namespace {

using residual::check_records;
using residual::Cifar10;
using residual::data_format;
using residual::DataError;
using residual::DataSet;
using tests::TemporaryFolder;

const residual::DataDescription& cifar10() {
    return residual::cifar10_description();
}

DataSet load(const char* format, const std::filesystem::path& folder) {
    const residual::DataFormat& wanted = data_format(format);
    const auto found = residual::find_data(wanted, folder.string());
    return residual::make_data_set(wanted.load_train(found), wanted.load_test(found));
}

constexpr size_t kFileBytes = Cifar10::kRecordsPerFile * Cifar10::kRecordBytes;

// `count` random records with valid labels.
std::vector<uint8_t> random_records(uint32_t seed, size_t count = Cifar10::kRecordsPerFile) {
    std::vector<uint8_t> records(count * Cifar10::kRecordBytes);
    uint32_t state = seed * 2654435761u + 1;
    for (uint8_t& byte : records) {
        state = state * 1664525u + 1013904223u;
        byte = static_cast<uint8_t>(state >> 24);
    }
    for (size_t i = 0; i < records.size(); i += Cifar10::kRecordBytes) records[i] %= Cifar10::kClasses;
    return records;
}

std::vector<std::string> file_names() {
    std::vector<std::string> names(Cifar10::kTrainFiles.begin(), Cifar10::kTrainFiles.end());
    names.push_back(Cifar10::kTestFile);
    return names;
}

void write_records(const std::filesystem::path& path, const std::vector<uint8_t>& records) {
    tests::write_bytes(path, std::as_bytes(std::span(records)));
}

// Six files with the same records, except that the first pixel of each is the number of the file.
void write_cifar10(const std::filesystem::path& folder) {
    std::vector<uint8_t> records = random_records(1);
    uint8_t number = 0;
    for (const std::string& name : file_names()) {
        records[1] = ++number;
        write_records(folder / name, records);
    }
}

TEST_CASE("CRC-32 matches its published check value", "[data]") {
    const std::string text = "123456789";
    const auto bytes = std::as_bytes(std::span(text));
    CHECK(residual::crc32_of(bytes) == 0xCBF43926u);
    CHECK(residual::crc32_of(bytes.subspan(4), residual::crc32_of(bytes.first(4))) == 0xCBF43926u);
    CHECK(residual::crc32_of({}) == 0u);
}

// A CIFAR-100 record is a coarse label, then a CIFAR-10 record with a fine label.
std::vector<uint8_t> random_records100(uint32_t seed, size_t count) {
    const std::vector<uint8_t> records = random_records(seed, count);
    std::vector<uint8_t> with_coarse;
    for (size_t i = 0; i < count; ++i) {
        with_coarse.push_back(static_cast<uint8_t>(i % 20));
        const auto record = records.begin() + static_cast<std::ptrdiff_t>(i * Cifar10::kRecordBytes);
        with_coarse.insert(with_coarse.end(), record, record + Cifar10::kRecordBytes);
        with_coarse[i * 3074 + 1] = static_cast<uint8_t>(99 - i % 100);
    }
    return with_coarse;
}

void write_cifar100(const std::filesystem::path& folder) {
    write_records(folder / "train.bin", random_records100(1, 50'000));
    write_records(folder / "test.bin", random_records100(2, 10'000));
}

TEST_CASE("CIFAR-10 is read in file order", "[data]") {
    const TemporaryFolder folder;
    write_cifar10(folder.path());
    const DataSet data = load("cifar10", folder.path());
    REQUIRE(data.train.size() == 50'000 * 3073);
    REQUIRE(data.test.size() == 10'000 * 3073);
    for (size_t file = 0; file < 5; ++file) CHECK(data.train[file * kFileBytes + 1] == file + 1);
    CHECK(data.test[1] == 6);
    const std::vector<uint8_t> records = random_records(1);
    CHECK(std::equal(records.begin() + 2, records.end(), data.train.begin() + 3 * kFileBytes + 2));
    CHECK(data.fingerprint == residual::crc32_of(std::as_bytes(std::span(data.train))));

    const TemporaryFolder parent;
    std::filesystem::rename(folder.path(), parent / "cifar-10-batches-bin");
    CHECK(load("cifar10", parent.path()).fingerprint == data.fingerprint);
}

TEST_CASE("a missing, wrongly sized or mislabelled CIFAR-10 file is refused", "[data]") {
    const TemporaryFolder folder;
    write_cifar10(folder.path());
    const auto read = [&] { load("cifar10", folder.path()); };

    SECTION("missing") {
        std::filesystem::remove(folder / "data_batch_4.bin");
        CHECK_THROWS_AS(read(), DataError);
        CHECK_THROWS_WITH(read(), ContainsSubstring("data_batch_4.bin: No such file"));
    }
    SECTION("short") {
        std::filesystem::resize_file(folder / "test_batch.bin", 30'729'999);
        CHECK_THROWS_AS(read(), DataError);
        CHECK_THROWS_WITH(read(), ContainsSubstring("test_batch.bin has 30729999 bytes, but must have 30730000"));
    }
    SECTION("long") {
        std::filesystem::resize_file(folder / "data_batch_1.bin", 30'730'001);
        CHECK_THROWS_WITH(read(), ContainsSubstring("data_batch_1.bin has 30730001 bytes, but must have 30730000"));
    }
    SECTION("empty") {
        std::filesystem::resize_file(folder / "data_batch_1.bin", 0);
        CHECK_THROWS_WITH(read(), ContainsSubstring("data_batch_1.bin has 0 bytes"));
    }
    SECTION("label") {
        std::vector<uint8_t> records = random_records(2);
        records[1234 * Cifar10::kRecordBytes] = 10;
        write_records(folder / "data_batch_2.bin", records);
        CHECK_THROWS_AS(read(), DataError);
        CHECK_THROWS_WITH(read(), ContainsSubstring("data_batch_2.bin: label 10 at byte 3792082"));
    }
    SECTION("a folder instead of a file") {
        std::filesystem::remove(folder / "data_batch_5.bin");
        std::filesystem::create_directory(folder / "data_batch_5.bin");
        CHECK_THROWS_WITH(read(), ContainsSubstring("data_batch_5.bin"));
    }
}

TEST_CASE("records must be whole and have valid labels", "[data]") {
    std::vector<uint8_t> records = random_records(6, 2);
    CHECK_NOTHROW(check_records(cifar10(), records, "some.bin"));
    records.back() = 255;
    records[Cifar10::kRecordBytes] = 9;
    CHECK_NOTHROW(check_records(cifar10(), records, "some.bin"));
    records[Cifar10::kRecordBytes] = 10;
    CHECK_THROWS_WITH(check_records(cifar10(), records, "some.bin"),
                      ContainsSubstring("some.bin: label 10 at byte 3073"));
    records.pop_back();
    CHECK_THROWS_AS(check_records(cifar10(), records, "some.bin"), DataError);
    CHECK_THROWS_WITH(check_records(cifar10(), records, "some.bin"), ContainsSubstring("some.bin has 6145 bytes"));
    CHECK_THROWS_WITH(check_records(cifar10(), {}, "some.bin"), ContainsSubstring("some.bin has 0 bytes"));
}

TEST_CASE("CIFAR-100 is read with its fine labels", "[data]") {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "cifar-100-binary");
    write_cifar100(folder / "cifar-100-binary");
    CHECK(std::filesystem::file_size(folder / "cifar-100-binary/train.bin") == 153'700'000);
    CHECK(std::filesystem::file_size(folder / "cifar-100-binary/test.bin") == 30'740'000);
    const residual::DataDescription& description = data_format("cifar100").description;
    CHECK(description.classes() == 100);
    CHECK(description.class_names.front() == "apple");
    CHECK(description.class_names[53] == "orange");
    CHECK(description.class_names.back() == "worm");

    const DataSet data = load("cifar100", folder.path());
    REQUIRE(data.train.size() == 50'000 * 3073);
    REQUIRE(data.test.size() == 10'000 * 3073);
    size_t wrong = 0;
    for (size_t i = 0; i < 10'000; ++i) wrong += data.test[i * 3073] != 99 - i % 100;
    CHECK(wrong == 0);
    std::vector<uint8_t> plain = random_records(2);
    for (size_t i = 0; i < 10'000; ++i) plain[i * 3073] = data.test[i * 3073];
    CHECK(data.test == plain);
    CHECK(data.fingerprint == residual::crc32_of(std::as_bytes(std::span(data.train))));

    SECTION("short") {
        std::filesystem::resize_file(folder / "cifar-100-binary/test.bin", 30'739'999);
        CHECK_THROWS_WITH(load("cifar100", folder.path()),
                          ContainsSubstring("test.bin has 30739999 bytes, but must have 30740000"));
    }
    SECTION("missing") {
        std::filesystem::remove(folder / "cifar-100-binary/train.bin");
        CHECK_THROWS_WITH(load("cifar100", folder.path()), ContainsSubstring("train.bin: No such file"));
    }
    SECTION("a coarse label above 19: its position is reported") {
        std::vector<uint8_t> records = random_records100(2, 10'000);
        records[7 * 3074] = 20;
        write_records(folder / "cifar-100-binary/test.bin", records);
        CHECK_THROWS_WITH(load("cifar100", folder.path()),
                          ContainsSubstring("test.bin: label 20 at byte 21518, but labels there are 0 to 19"));
    }
    SECTION("a fine label above 99: its position is reported") {
        std::vector<uint8_t> records = random_records100(2, 10'000);
        records[7 * 3074 + 1] = 100;
        write_records(folder / "cifar-100-binary/test.bin", records);
        CHECK_THROWS_WITH(load("cifar100", folder.path()),
                          ContainsSubstring("test.bin: label 100 at byte 21519, but labels are 0 to 99"));
    }
}

}  // namespace
