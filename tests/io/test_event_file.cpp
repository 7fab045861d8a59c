// The framing and the files of events; tests/train/test_tensorboard.sh reads them with TensorBoard.
#include "engine/io/event_file.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "engine/core/checksum.h"
#include "tests/catch.h"
#include "tests/io/temporary_folder.h"
#include "tests/support/file_size_limit.h"

using namespace residual;
using tests::read_text;
using tests::TemporaryFolder;

namespace {

std::string text_of(std::initializer_list<int> bytes) {
    return {bytes.begin(), bytes.end()};
}

std::vector<std::string> event_files(const TemporaryFolder& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

// The data of each record; requires whole records.
std::vector<std::string> records_in(std::string_view text) {
    std::vector<std::string> records;
    while (!text.empty()) {
        REQUIRE(text.size() >= 16);
        size_t length = 0;
        for (size_t byte = 8; byte-- > 0;) length = length << 8 | static_cast<uint8_t>(text[byte]);
        REQUIRE(text.size() >= 16 + length);
        records.emplace_back(text.substr(12, length));
        CHECK(tf_record(records.back()) == text.substr(0, 16 + length));
        text.remove_prefix(16 + length);
    }
    return records;
}

}  // namespace

TEST_CASE("a protocol buffer has the bytes of the specification's examples", "[io]") {
    CHECK(ProtobufMessage().add(1, int64_t{150}).bytes() == text_of({0x08, 0x96, 0x01}));
    CHECK(ProtobufMessage().add(2, std::string_view("testing")).bytes() == "\x12\x07testing");
    CHECK(ProtobufMessage().add(3, ProtobufMessage().add(1, int64_t{150})).bytes() ==
          text_of({0x1a, 0x03, 0x08, 0x96, 0x01}));
    // Fields from 16 on have a key of two bytes, and negative numbers ten bytes.
    CHECK(ProtobufMessage().add(16, int64_t{0}).bytes() == text_of({0x80, 0x01, 0x00}));
    CHECK(ProtobufMessage().add(1, int64_t{-2}).bytes() ==
          text_of({0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));
    CHECK(ProtobufMessage().add(1, 1.0).bytes() == text_of({0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f}));
    CHECK(ProtobufMessage().add(1, -2.0f).bytes() == text_of({0x0d, 0, 0, 0, 0xc0}));
}

TEST_CASE("a record has masked checksums of its length and of its data", "[io]") {
    const std::string record = tf_record("123456789");
    CHECK(record.substr(0, 8) == text_of({9, 0, 0, 0, 0, 0, 0, 0}));
    CHECK(record.substr(12, 9) == "123456789");
    // The CRC-32C of these digits is 0xe3069283; rotated right by 15 bits, plus 0xa282ead8.
    CHECK(record.substr(21) == text_of({0xe5, 0xb0, 0x8a, 0xc7}));
}

TEST_CASE("a new event file comes after all others in the folder, whatever the clock says", "[io]") {
    const TemporaryFolder folder;
    std::vector<std::string> expected;
    for (int process = 0; process < 3; ++process) {
        EventFile events(folder.path());
        events.restart(process);
        const auto names = event_files(folder);
        REQUIRE(names.size() == expected.size() + 1);
        CHECK(std::equal(expected.begin(), expected.end(), names.begin()));
        expected = names;
    }
    std::ofstream(folder / "events.out.tfevents.9000000000.another.host");
    EventFile events(folder.path());
    CHECK(event_files(folder).back() == "events.out.tfevents.9000000001");
}

TEST_CASE("events that cannot be written are kept and written later, as whole records", "[io]") {
    const TemporaryFolder folder;
    EventFile events(folder.path());
    const auto path = folder / event_files(folder).front();
    events.write(1, Summary().add_scalar("loss", 1.5));
    CHECK(events.failure().empty());
    const auto size = std::filesystem::file_size(path);
    {
        const test::FileSizeLimit full(size + 10);
        for (const int64_t step : {2, 3}) events.write(step, Summary().add_scalar("loss", 1.5));
        CHECK(std::filesystem::file_size(path) == size + 10);
        CHECK(events.failure() == "cannot write " + path.string() + ": File too large");
    }
    events.write(4, Summary().add_scalar("loss", 1.5));
    CHECK(events.failure().empty());
    const auto records = records_in(read_text(path));
    REQUIRE(records.size() == 5);
    const auto without_time = [](const std::string& record) { return record.substr(9); };
    CHECK_THAT(records[0], EndsWith("brain.Event:2"));
    for (char step = 1; step <= 4; ++step) {
        // Step; a summary with a value: its tag and the float 1.5.
        CHECK(without_time(records[static_cast<size_t>(step)]) == std::string("\x10") + step +
                                                                      text_of({0x2a, 0x0d, 0x0a, 0x0b, 0x0a, 0x04}) +
                                                                      "loss" + text_of({0x15, 0, 0, 0xc0, 0x3f}));
    }
}

TEST_CASE("events that are still kept at the end are written then", "[io]") {
    const TemporaryFolder folder;
    {
        EventFile events(folder / "later");
        events.restart(0);
        std::filesystem::create_directory(folder / "later");
    }
    const auto path = std::filesystem::directory_iterator(folder / "later")->path();
    CHECK(records_in(read_text(path)).size() == 2);
}

TEST_CASE("an event file is created once its folder is there", "[io]") {
    const TemporaryFolder folder;
    EventFile events(folder / "later");
    CHECK_THAT(events.failure(), StartsWith("cannot create ") && EndsWith("No such file or directory"));
    std::filesystem::create_directory(folder / "later");
    events.restart(0);
    CHECK(events.failure().empty());
    const auto path = std::filesystem::directory_iterator(folder / "later")->path();
    CHECK(records_in(read_text(path)).size() == 2);
}
