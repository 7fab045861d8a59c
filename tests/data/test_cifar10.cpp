#include "engine/data/cifar10.h"

#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/checksum.h"
#include "engine/core/error.h"
#include "tests/catch.h"
#include "tests/io/temporary_folder.h"

namespace {

using engine::check_records;
using engine::Cifar10;
using engine::find_cifar10;
using engine::load_cifar10;
using engine::pixel_mean;
using tests::TemporaryFolder;

// Random bytes with valid labels, a file's worth or as many as asked for.
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

// Six files, each of one repeated file of records but for its first pixel, which numbers the file.
void write_cifar10(const std::filesystem::path& folder) {
    std::vector<uint8_t> records = random_records(1);
    uint8_t number = 0;
    for (const std::string& name : file_names()) {
        records[1] = ++number;
        write_records(folder / name, records);
    }
}

// Sets a variable of the environment, or removes it, until the end of the scope.
class Environment {
  public:
    Environment(const char* name, const std::optional<std::string>& value) : name_(name) {
        if (const char* before = getenv(name)) before_ = before;
        set(value);
    }
    ~Environment() { set(before_); }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

  private:
    void set(const std::optional<std::string>& value) {
        if (value) {
            setenv(name_, value->c_str(), 1);
        } else {
            unsetenv(name_);
        }
    }

    const char* name_;
    std::optional<std::string> before_;
};

TEST_CASE("CRC-32 has its check value", "[data]") {
    const std::string text = "123456789";
    const auto bytes = std::as_bytes(std::span(text));
    CHECK(engine::crc32_of(bytes) == 0xCBF43926u);
    CHECK(engine::crc32_of(bytes.subspan(4), engine::crc32_of(bytes.first(4))) == 0xCBF43926u);
    CHECK(engine::crc32_of({}) == 0u);
}

TEST_CASE("CIFAR-10 is read in the order of its files", "[data]") {
    const TemporaryFolder folder;
    write_cifar10(folder.path());
    const Cifar10 data = load_cifar10(folder.path());
    REQUIRE(data.train.size() == 50'000 * 3073);
    REQUIRE(data.test.size() == 10'000 * 3073);
    for (size_t file = 0; file < 5; ++file) CHECK(data.train[file * Cifar10::kFileBytes + 1] == file + 1);
    CHECK(data.test[1] == 6);
    const std::vector<uint8_t> records = random_records(1);
    CHECK(std::equal(records.begin() + 2, records.end(), data.train.begin() + 3 * Cifar10::kFileBytes + 2));
    CHECK(data.fingerprint == engine::crc32_of(std::as_bytes(std::span(data.train))));

    const TemporaryFolder parent;
    std::filesystem::rename(folder.path(), parent / "cifar-10-batches-bin");
    CHECK(load_cifar10(parent.path()).fingerprint == data.fingerprint);
}

TEST_CASE("CIFAR-10 with a missing, misshapen or mislabelled file is refused", "[data]") {
    const TemporaryFolder folder;
    write_cifar10(folder.path());
    const auto load = [&] { load_cifar10(folder.path()); };

    SECTION("missing") {
        std::filesystem::remove(folder / "data_batch_4.bin");
        CHECK_THROWS_AS(load(), engine::InputError);
        CHECK_THROWS_WITH(load(), ContainsSubstring("data_batch_4.bin: No such file") &&
                                      ContainsSubstring("tools/get_cifar10.sh") && ContainsSubstring("--data DIR"));
    }
    SECTION("short") {
        std::filesystem::resize_file(folder / "test_batch.bin", 30'729'999);
        CHECK_THROWS_AS(load(), engine::InputError);
        CHECK_THROWS_WITH(load(), ContainsSubstring("test_batch.bin has 30729999 bytes, but must have 30730000") &&
                                      ContainsSubstring("tools/get_cifar10.sh"));
    }
    SECTION("long") {
        std::filesystem::resize_file(folder / "data_batch_1.bin", 30'730'001);
        CHECK_THROWS_WITH(load(), ContainsSubstring("data_batch_1.bin has 30730001 bytes, but must have 30730000"));
    }
    SECTION("empty") {
        std::filesystem::resize_file(folder / "data_batch_1.bin", 0);
        CHECK_THROWS_WITH(load(), ContainsSubstring("data_batch_1.bin has 0 bytes"));
    }
    SECTION("label") {
        std::vector<uint8_t> records = random_records(2);
        records[1234 * Cifar10::kRecordBytes] = 10;
        write_records(folder / "data_batch_2.bin", records);
        CHECK_THROWS_AS(load(), engine::InputError);
        CHECK_THROWS_WITH(load(), ContainsSubstring("data_batch_2.bin: label 10 at byte 3792082"));
    }
    SECTION("a folder in a file's place") {
        std::filesystem::remove(folder / "data_batch_5.bin");
        std::filesystem::create_directory(folder / "data_batch_5.bin");
        CHECK_THROWS_WITH(load(), ContainsSubstring("data_batch_5.bin"));
    }
}

TEST_CASE("only whole records are records", "[data]") {
    std::vector<uint8_t> records = random_records(6, 2);
    CHECK_NOTHROW(check_records(records, "some.bin"));
    records.back() = 255;
    records[Cifar10::kRecordBytes] = 9;
    CHECK_NOTHROW(check_records(records, "some.bin"));
    records[Cifar10::kRecordBytes] = 10;
    CHECK_THROWS_WITH(check_records(records, "some.bin"), ContainsSubstring("some.bin: label 10 at byte 3073"));
    records.pop_back();
    CHECK_THROWS_AS(check_records(records, "some.bin"), engine::InputError);
    CHECK_THROWS_WITH(check_records(records, "some.bin"), ContainsSubstring("some.bin has 6145 bytes"));
    CHECK_THROWS_WITH(check_records({}, "some.bin"), ContainsSubstring("some.bin has 0 bytes"));
}

TEST_CASE("CIFAR-10 is looked for where it is asked for, then in the cache", "[data]") {
    const TemporaryFolder data, home;
    write_records(data / "data_batch_1.bin", random_records(3, 1));
    const auto cache = home / ".cache/residual/cifar10";
    const std::string named = data.path().string(), absent = (home / "absent").string();
    const Environment no_xdg("XDG_CACHE_HOME", std::nullopt), no_name("CIFAR10_DIR", std::nullopt);
    const Environment of_home("HOME", home.path().string());

    CHECK(find_cifar10(named) == data.path());
    CHECK_THROWS_WITH(find_cifar10(absent), ContainsSubstring(absent) && ContainsSubstring("tools/get_cifar10.sh"));
    CHECK_THROWS_AS(find_cifar10(std::nullopt), engine::InputError);
    CHECK_THROWS_WITH(find_cifar10(std::nullopt),
                      ContainsSubstring("no CIFAR10_DIR in the environment") && ContainsSubstring(cache.string()) &&
                          ContainsSubstring("tools/get_cifar10.sh") && ContainsSubstring("--data DIR"));

    std::filesystem::create_directories(cache);
    write_records(cache / "test_batch.bin", random_records(4, 1));
    CHECK(find_cifar10(std::nullopt) == cache);
    {
        const Environment other("XDG_CACHE_HOME", (home / "elsewhere").string());
        CHECK_THROWS_WITH(find_cifar10(std::nullopt), ContainsSubstring("elsewhere/residual/cifar10"));
        const auto archive = home / "elsewhere/residual/cifar10/cifar-10-batches-bin";
        std::filesystem::create_directories(archive);
        write_records(archive / "data_batch_1.bin", random_records(5, 1));
        CHECK(find_cifar10(std::nullopt) == archive);
    }
    {
        const Environment name("CIFAR10_DIR", named);
        CHECK(find_cifar10(std::nullopt) == data.path());
    }
    {
        // A folder that was asked for is never replaced by the cache, which does hold data here.
        const Environment name("CIFAR10_DIR", absent);
        CHECK_THROWS_WITH(find_cifar10(std::nullopt), ContainsSubstring(absent) && ContainsSubstring("CIFAR10_DIR"));
        CHECK_THROWS_AS(find_cifar10(absent), engine::InputError);
    }
}

TEST_CASE("the mean picture equals the plain sum", "[data]") {
    // Below, at and above the block that 16-bit sums hold, and all bytes at their largest.
    const size_t count = GENERATE(size_t{1}, size_t{256}, size_t{257}, size_t{258}, size_t{1000});
    const bool saturated = GENERATE(false, true);
    std::vector<uint8_t> records = random_records(7, count);
    if (saturated) std::fill(records.begin(), records.end(), uint8_t{255});
    const std::vector<float> mean = pixel_mean(records);
    REQUIRE(mean.size() == 3072);
    size_t wrong = 0;
    for (size_t y = 0; y < 32; ++y) {
        for (size_t x = 0; x < 32; ++x) {
            for (size_t c = 0; c < 3; ++c) {
                double sum = 0;
                for (size_t i = 0; i < count; ++i) sum += records[i * 3073 + 1 + c * 1024 + y * 32 + x];
                wrong += mean[(y * 32 + x) * 3 + c] != static_cast<float>(sum / static_cast<double>(count));
            }
        }
    }
    CHECK(wrong == 0);
}

}  // namespace
