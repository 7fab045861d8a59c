#include "engine/io/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "tests/catch.h"
#include "tests/io/temporary_folder.h"

namespace {

using residual::SafetensorsFile;
using residual::SafetensorsType;
using residual::TensorView;
using residual::write_safetensors;
using tests::read_text;
using tests::TemporaryFolder;

template <class T>
TensorView view(std::string name, SafetensorsType type, std::vector<int64_t> shape, const std::vector<T>& values) {
    return {std::move(name), type, std::move(shape), std::as_bytes(std::span(values))};
}

template <class T>
std::vector<T> values_of(const TensorView& tensor) {
    std::vector<T> values(tensor.data.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
    return values;
}

// A file with the header `json`, declared to have `claimed_length` bytes, followed by `data_bytes` zeros.
std::filesystem::path write_raw(const TemporaryFolder& folder, const std::string& json, size_t data_bytes,
                                uint64_t claimed_length) {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &claimed_length, 8);
    bytes += json;
    bytes.append(data_bytes, '\0');
    tests::write_bytes(folder / "raw.safetensors", std::as_bytes(std::span(bytes)));
    return folder / "raw.safetensors";
}

std::string message_for(const std::string& json, size_t data_bytes) {
    const TemporaryFolder folder;
    const auto path = write_raw(folder, json, data_bytes, json.size());
    try {
        SafetensorsFile::read(path);
    } catch (const residual::InputError& error) {
        CHECK_THAT(error.what(), ContainsSubstring(path.string()));
        return error.what();
    }
    return "accepted";
}

std::string tensor(const std::string& name, const std::string& type, const std::string& shape,
                   const std::string& offsets) {
    return "\"" + name + R"(":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

TEST_CASE("safetensors: written tensors are read back unchanged", "[io]") {
    const TemporaryFolder folder;
    const auto path = folder / "all.safetensors";
    const std::vector<uint16_t> bfloat16 = {0x3F80, 0xC000, 0x7FC1};  // 1, -2, a NaN with a payload
    const std::vector<float> weight = {1.5f, -0.0f, 3.25e-40f, 4.f, 5.f, 6.f};
    const std::vector<double> scalar = {2.5};
    const std::vector<uint8_t> flags = {1, 0, 1};
    const std::vector<int64_t> labels = {-1, INT64_MAX};
    const std::vector<float> none;
    const std::vector<TensorView> tensors = {
        view("flags", SafetensorsType::kBool, {3}, flags),
        view("bf16", SafetensorsType::kBF16, {3, 1}, bfloat16),
        view("weight", SafetensorsType::kF32, {2, 3}, weight),
        view("empty", SafetensorsType::kF32, {4, 0, 2}, none),
        view("labels", SafetensorsType::kI64, {2}, labels),
        view("scalar", SafetensorsType::kF64, {}, scalar),
        view("quote\"\\\n\u00e9", SafetensorsType::kU8, {3}, flags),
    };
    const std::map<std::string, std::string> metadata = {{"config", R"({"a": ["b", 1]})"}, {"step", "64000"}, {"", ""}};
    write_safetensors(path, tensors, metadata);

    const SafetensorsFile file = SafetensorsFile::read(path);
    CHECK(file.metadata() == metadata);
    REQUIRE(file.tensors().size() == tensors.size());
    for (const TensorView& expected : tensors) {
        const TensorView* found = file.find(expected.name);
        REQUIRE(found != nullptr);
        CHECK(found->name == expected.name);
        CHECK(found->type == expected.type);
        CHECK(found->shape == expected.shape);
        CHECK(std::ranges::equal(found->data, expected.data));
        CHECK(std::bit_cast<uintptr_t>(found->data.data()) % size_of(found->type) == 0);
    }
    CHECK(values_of<double>(*file.find("scalar")) == scalar);
    CHECK(values_of<uint16_t>(*file.find("bf16")) == bfloat16);
    CHECK(file.find("weigh") == nullptr);
    CHECK(file.find("__metadata__") == nullptr);

    uint64_t header_bytes = 0;
    const std::string bytes = read_text(path);
    std::memcpy(&header_bytes, bytes.data(), 8);
    CHECK(header_bytes % 8 == 0);
    CHECK(bytes[8] == '{');
}

TEST_CASE("safetensors: the bytes of a small file", "[io]") {
    const TemporaryFolder folder;
    const std::vector<float> values = {1.f};
    write_safetensors(folder / "one", std::vector{view("a", SafetensorsType::kF32, {1}, values)}, {{"k", "v"}});
    const std::string header = R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
    const std::string padding((8 - header.size() % 8) % 8, ' ');
    const auto length = static_cast<char>(header.size() + padding.size());
    CHECK(read_text(folder / "one") ==
          std::string{length, 0, 0, 0, 0, 0, 0, 0} + header + padding + std::string{0, 0, '\x80', '\x3f'});

    write_safetensors(folder / "none", {});
    CHECK(read_text(folder / "none") == std::string{8, 0, 0, 0, 0, 0, 0, 0} + "{}      ");
    CHECK(SafetensorsFile::read(folder / "none").tensors().empty());
}

TEST_CASE("safetensors: views stay valid after the file is moved", "[io]") {
    const TemporaryFolder folder;
    const std::vector<float> values = {7.f, 8.f};
    write_safetensors(folder / "f", std::vector{view("a", SafetensorsType::kF32, {2}, values)});
    SafetensorsFile first = SafetensorsFile::read(folder / "f");
    const SafetensorsFile second = std::move(first);
    CHECK(values_of<float>(*second.find("a")) == values);
}

TEST_CASE("safetensors: files of other writers are accepted", "[io]") {
    const std::string a = tensor("a", "F32", "[1]", "[4,8]"), b = tensor("b", "F32", "[]", "[0,4]");
    CHECK(message_for("{" + a + "," + b + "}", 8) == "accepted");
    CHECK(message_for("{" + a + ", " + b + "} \n ", 8) == "accepted");
    // Empty tensors may be anywhere; tensors need not be aligned.
    CHECK(message_for("{" + tensor("e", "I8", "[0]", "[4,4]") + "," + a + "," + b + "}", 8) == "accepted");
    CHECK(message_for("{" + tensor("e", "I8", "[0,9]", "[8,8]") + "," + a + "," + b + "}", 8) == "accepted");
    CHECK(message_for("{" + tensor("c", "U8", "[1]", "[0,1]") + "," + tensor("d", "I16", "[1]", "[1,3]") + "}", 3) ==
          "accepted");
    CHECK(message_for(R"({"__metadata__":{}})", 0) == "accepted");
}

TEST_CASE("safetensors: a file that is missing or too short is refused", "[io]") {
    const TemporaryFolder folder;
    CHECK_THROWS_WITH(SafetensorsFile::read(folder / "absent"), ContainsSubstring("absent: no such file"));
    CHECK_THROWS_WITH(SafetensorsFile::read(folder.path()), ContainsSubstring("not a regular file"));

    tests::write_bytes(folder / "short", std::as_bytes(std::span("1234567", 7)));
    CHECK_THROWS_WITH(SafetensorsFile::read(folder / "short"), ContainsSubstring("7 bytes, too short"));

    const auto read_claim = [&](uint64_t length) { SafetensorsFile::read(write_raw(folder, "{}", 0, length)); };
    CHECK_THROWS_WITH(read_claim(0), ContainsSubstring("a header of 0 bytes"));
    CHECK_THROWS_WITH(read_claim(3), ContainsSubstring("cut short") && ContainsSubstring("a header of 3 bytes") &&
                                         ContainsSubstring("only 2 bytes follow"));
    CHECK_THROWS_WITH(read_claim(100'000'000), ContainsSubstring("cut short"));
    CHECK_THROWS_WITH(read_claim(100'000'001), ContainsSubstring("100000001 bytes"));
    CHECK_THROWS_WITH(read_claim(UINT64_MAX), ContainsSubstring("18446744073709551615 bytes"));
    CHECK_NOTHROW(read_claim(2));
}

TEST_CASE("safetensors: a malformed header is refused", "[io]") {
    CHECK_THAT(message_for(" {}", 0), ContainsSubstring("does not start with '{'"));
    CHECK_THAT(message_for("[]", 0), ContainsSubstring("does not start with '{'"));
    CHECK_THAT(message_for("{\"a\":", 0), ContainsSubstring("its header is not valid JSON"));
    CHECK_THAT(message_for("{}{}", 0), ContainsSubstring("its header is not valid JSON"));
    CHECK_THAT(message_for("{\"\xff\":{}}", 0), ContainsSubstring("its header is not valid JSON"));
    CHECK_THAT(message_for("{" + std::string(8, '\0') + "}", 0), ContainsSubstring("its header holds a zero byte"));

    std::string nested = "{\"a\":";
    for (int i = 0; i < 200'000; ++i) nested += "[";
    CHECK_THAT(message_for(nested, 0), ContainsSubstring("tensor \"a\": unexpected array"));
    nested = "{\"a\":{\"shape\":[";
    for (int i = 0; i < 200'000; ++i) nested += "[";
    CHECK_THAT(message_for(nested, 0), ContainsSubstring("tensor \"a\", field \"shape\": unexpected array"));
    nested.clear();
    for (int i = 0; i < 200'000; ++i) nested += "{\"a\":";
    CHECK_THAT(message_for(nested, 0), ContainsSubstring("tensor \"a\", field \"a\": unexpected object"));
}

TEST_CASE("safetensors: a malformed tensor entry is refused", "[io]") {
    const auto message = [](const std::string& type, const std::string& shape, const std::string& offsets,
                            size_t data) { return message_for("{" + tensor("w", type, shape, offsets) + "}", data); };
    CHECK_THAT(message("F8_E4M3", "[4]", "[0,4]", 4),
               ContainsSubstring("tensor \"w\"") && ContainsSubstring("unknown dtype \"F8_E4M3\""));
    CHECK_THAT(message("f32", "[1]", "[0,4]", 4), ContainsSubstring("unknown dtype \"f32\""));
    CHECK_THAT(message("F32", "[2,3]", "[0,20]", 20),
               ContainsSubstring("F32 of shape [2, 3] takes 24 bytes") && ContainsSubstring("span 20"));
    CHECK_THAT(message("F32", "[4294967296,4294967296]", "[0,0]", 0),
               ContainsSubstring("shape [4294967296, 4294967296] overflows"));
    CHECK_THAT(message("F64", "[2305843009213693952]", "[0,0]", 0), ContainsSubstring("overflows"));
    CHECK_THAT(message("U8", "[0,18446744073709551615]", "[0,0]", 0), ContainsSubstring("18446744073709551615"));
    CHECK_THAT(message("U8", "[18446744073709551616]", "[0,0]", 0), ContainsSubstring("not a 64-bit integer"));
    CHECK_THAT(message("F32", "[-1]", "[0,4]", 4), ContainsSubstring("field \"shape\": unexpected negative number -1"));
    CHECK_THAT(message("F32", "[1.0]", "[0,4]", 4), ContainsSubstring("1.0 is not a 64-bit integer"));
    CHECK_THAT(message("F32", "[\"1\"]", "[0,4]", 4), ContainsSubstring("unexpected string \"1\""));
    CHECK_THAT(message("F32", "1", "[0,4]", 4), ContainsSubstring("unexpected number 1"));
    CHECK_THAT(message("F32", "null", "[0,4]", 4), ContainsSubstring("unexpected null"));
    CHECK_THAT(message("F32", "[1]", "[0,4,8]", 8), ContainsSubstring("has 3 numbers, not 2"));
    CHECK_THAT(message("F32", "[1]", "[4,0]", 4), ContainsSubstring("[4, 0]: the end is before the beginning"));
    std::string ones = "[1";
    for (int i = 0; i < 40; ++i) ones += ",1";
    CHECK_THAT(message("U8", ones + "]", "[0,1]", 1), ContainsSubstring("more than 32 numbers"));

    CHECK_THAT(message_for(R"({"w":{"shape":[],"data_offsets":[0,4]}})", 4), ContainsSubstring("\"dtype\" is missing"));
    CHECK_THAT(message_for(R"({"w":{"dtype":"F32","data_offsets":[0,4]}})", 4),
               ContainsSubstring("\"shape\" is missing"));
    CHECK_THAT(message_for(R"({"w":{"dtype":"F32","shape":[]}})", 4), ContainsSubstring("\"data_offsets\" is missing"));
    CHECK_THAT(message_for(R"({"w":5})", 0), ContainsSubstring("tensor \"w\": unexpected number 5"));
    CHECK_THAT(message_for(R"({"w":{"dtype":"F32","shape":[],"offsets":[0,4]}})", 4),
               ContainsSubstring("field \"offsets\""));
    CHECK_THAT(message_for(R"({"__metadata__":{"step":3}})", 0),
               ContainsSubstring("__metadata__, field \"step\": unexpected number 3"));
    CHECK_THAT(message_for(R"({"__metadata__":{"step":{}}})", 0), ContainsSubstring("__metadata__"));
}

TEST_CASE("safetensors: a duplicate name or field is refused", "[io]") {
    const std::string w = tensor("w", "U8", "[1]", "[0,1]");
    CHECK_THAT(message_for("{" + w + "," + w + "}", 1), ContainsSubstring("tensor \"w\": duplicate name"));
    CHECK_THAT(message_for(R"({"__metadata__":{},"__metadata__":{}})", 0), ContainsSubstring("duplicate"));
    CHECK_THAT(message_for(R"({"__metadata__":{"a":"1","a":"1"}})", 0),
               ContainsSubstring("field \"a\"") && ContainsSubstring("duplicate"));
    CHECK_THAT(message_for(R"({"w":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1),
               ContainsSubstring("field \"dtype\"") && ContainsSubstring("duplicate"));
    CHECK_THAT(message_for(R"({"w":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}})", 1),
               ContainsSubstring("field \"shape\"") && ContainsSubstring("duplicate"));
}

TEST_CASE("safetensors: gaps, overlaps and trailing data are refused", "[io]") {
    const auto two = [](const std::string& first, const std::string& second, size_t data) {
        return message_for("{" + tensor("a", "U8", "[4]", first) + "," + tensor("b", "U8", "[4]", second) + "}", data);
    };
    CHECK(two("[0,4]", "[4,8]", 8) == "accepted");
    CHECK_THAT(two("[0,4]", "[3,7]", 8), ContainsSubstring("tensor \"b\"") && ContainsSubstring("an overlap"));
    CHECK_THAT(two("[0,4]", "[0,4]", 4), ContainsSubstring("an overlap"));
    CHECK_THAT(two("[0,4]", "[5,9]", 9), ContainsSubstring("tensor \"b\"") && ContainsSubstring("a gap"));
    CHECK_THAT(two("[1,5]", "[5,9]", 9), ContainsSubstring("tensor \"a\"") && ContainsSubstring("a gap"));
    CHECK_THAT(two("[0,4]", "[4,8]", 7), ContainsSubstring("[4, 8] exceed the 7 bytes of data in the file"));
    CHECK_THAT(two("[0,4]", "[18446744073709551611,18446744073709551615]", 8), ContainsSubstring("exceed the 8 bytes"));
    CHECK_THAT(two("[0,4]", "[4,8]", 9), ContainsSubstring("1 bytes follow the last tensor"));
    CHECK_THAT(message_for("{}", 5), ContainsSubstring("5 bytes follow"));
}

TEST_CASE("safetensors: a file larger than the free memory is refused before it is read", "[io]") {
    const TemporaryFolder folder;
    const uint64_t bytes = uint64_t{1} << 40;
    const std::string claim = std::to_string(bytes);
    const std::string header = "{" + tensor("w", "U8", "[" + claim + "]", "[0," + claim + "]") + "}";
    const auto path = write_raw(folder, header, 0, header.size());
    std::filesystem::resize_file(path, 8 + header.size() + bytes);  // sparse: it takes no space on the disk
    CHECK_THROWS_AS(SafetensorsFile::read(path), residual::Error);
    CHECK_THROWS_WITH(SafetensorsFile::read(path),
                      ContainsSubstring(path.string() + ": out of memory: its tensors take 1048576.0 MiB; ") &&
                          ContainsSubstring("MiB of") && ContainsSubstring("are free"));
}

TEST_CASE("safetensors: invalid arguments to the writer are refused", "[io]") {
    const TemporaryFolder folder;
    const std::vector<float> values = {1.f, 2.f};
    const TensorView good = view("a", SafetensorsType::kF32, {2}, values);
    const TensorView wrong = view("a", SafetensorsType::kF32, {3}, values);
    const TensorView reserved = view("__metadata__", SafetensorsType::kF32, {2}, values);
    CHECK_THROWS_AS(write_safetensors(folder / "f", std::vector{good, good}), residual::AssertionError);
    CHECK_THROWS_AS(write_safetensors(folder / "f", std::vector{wrong}), residual::AssertionError);
    CHECK_THROWS_AS(write_safetensors(folder / "f", std::vector{reserved}), residual::AssertionError);
    CHECK_THROWS_WITH(write_safetensors(folder / "f", {}, {{"key", "\xff"}}), ContainsSubstring("not UTF-8"));
    CHECK(std::filesystem::is_empty(folder.path()));
}

}  // namespace
