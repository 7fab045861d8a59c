// Files of other formats are called what they are.
#include "engine/io/foreign_format.h"

#include <span>
#include <string>

#include "engine/core/error.h"
#include "engine/io/safetensors.h"
#include "tests/catch.h"
#include "tests/io/temporary_folder.h"

namespace {

using namespace std::literals;
using residual::foreign_format;
using residual::SafetensorsFile;
using tests::TemporaryFolder;

// The message with which a file of these bytes is refused.
std::string refusal(const std::string& bytes) {
    const TemporaryFolder folder;
    tests::write_bytes(folder / "f", std::as_bytes(std::span(bytes)));
    try {
        SafetensorsFile::read(folder / "f");
    } catch (const residual::InputError& error) {
        return error.what();
    }
    return "accepted";
}

// The local header of a zip archive's first member, and its data.
std::string zip(const std::string& member) {
    return "PK\x03\x04"s + std::string(22, '\0') + static_cast<char>(member.size()) + std::string(3, '\0') + member +
           std::string(100, '\0');
}

}  // namespace

TEST_CASE("a file of another format is refused with its name and a remedy", "[io]") {
    struct Case {
        std::string bytes, name, remedy;
    };
    const std::string tar_header = std::string("weights.pth").append(246, '\0') + "ustar";
    const std::string convert = "convert it with tools/import_weights.py", page = "docs/other-weights.md";
    const std::vector<Case> cases = {
        {zip("archive/data.pkl"), "a PyTorch file", convert},
        {zip("resnet20/data.pkl"), "a PyTorch file", convert},
        {"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e"s, "a PyTorch file", convert},
        {zip("conv1.weight.npy"), "a NumPy archive", convert},
        {zip("metadata.json"), "a Keras file", page},
        {zip("a.txt"), "a zip archive", "unpack it"},
        {"\x80\x02}q\x00"s, "a Python pickle", page},
        {"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94"s, "a Python pickle", page},
        {"\x93NUMPY\x01\x00v\x00{'descr': '<f4'}"s, "a single NumPy array", "numpy.savez"},
        {"\x89HDF\r\n\x1a\n"s + std::string(100, '\0'), "an HDF5 file", page},
        {"\x08\x08\x12\x07pytorch\x1a\x05"s, "an ONNX model", page},
        {"GGUF\x03\x00\x00\x00"s, "a GGUF file", page},
        {"\x1f\x8b\x08\x00\x00\x00\x00\x00"s + std::string(600'000, 'x'), "a gzip file", "unpack it"},
        {tar_header + std::string(300, '\0'), "a tar archive", "unpack it"},
        {"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a Git LFS pointer", "git lfs pull"},
        {"\n<!DOCTYPE HTML>\n<html>", "an HTML page", "download them again"},
        {"<html>", "an HTML page", "download them again"},
        {"<?xml version=\"1.0\"?><Error/>", "an XML page", "download them again"},
        {"{\"model\": {\"depth\": 20}}", "JSON text", "give the file of the weights"},
        {"{}", "JSON text", "give the file of the weights"},
        {"", "an empty file", "copy or download it again"},
    };
    for (const Case& expected : cases) {
        INFO(expected.name << ", " << expected.remedy);
        CHECK_THAT(refusal(expected.bytes), ContainsSubstring("/f: this is " + expected.name) &&
                                                ContainsSubstring(", not a safetensors file; ") &&
                                                ContainsSubstring(expected.remedy));
    }
}

TEST_CASE("a safetensors file is not mistaken for another format", "[io]") {
    // The length of the header is any number of 8 bytes: here it reads as gzip, a pickle, or white space.
    for (const std::string& length : {"\x1f\x8b\x08\x00"s, "\x80\x02}\x00"s, "\x20\x0a\x0d\x00"s}) {
        CHECK(foreign_format(length + std::string(4, '\0') + "{\"a\":") == nullptr);
    }
    CHECK(foreign_format("{\"a\": \"b\"}") != nullptr);
    CHECK(foreign_format("\0\0\0\0"s) == nullptr);
    CHECK(foreign_format("1234567") == nullptr);
    // A file whose first 8 bytes are its header's length only.
    CHECK(foreign_format("\x80\x02\x00\x00\x00\x00\x00\x00"s) == nullptr);
}
