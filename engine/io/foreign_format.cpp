#include "engine/io/foreign_format.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <string>

#include "engine/io/safetensors_header.h"

namespace residual {

using namespace std::literals;

namespace {

constexpr std::string_view kConvert = "convert it with tools/import_weights.py";
constexpr std::string_view kExport = "docs/other-weights.md shows how to save its tensors as safetensors";
constexpr std::string_view kUnpack = "unpack it";
constexpr std::string_view kDownload = "the server has sent it instead of the weights; download them again";

struct Signature {
    size_t at;  // where in the file `bytes` are
    std::string_view bytes;
    std::string_view within;  // occurs anywhere in the head
    ForeignFormat format;
};

// The first match counts. The first member of a zip archive tells which program wrote it.
constexpr Signature kBinary[] = {
    {0, "PK\x03\x04"sv, "/data.pkl", {"a PyTorch file", kConvert}},
    {0, "PK\x03\x04"sv, ".npy", {"a NumPy archive", kConvert}},
    {0, "PK\x03\x04"sv, "metadata.json", {"a Keras file", kExport}},
    {0, "PK\x03\x04"sv, "", {"a zip archive", kUnpack}},
    {0, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46"sv, "", {"a PyTorch file", kConvert}},
    {0, "\x80\x02}"sv, "", {"a Python pickle", kExport}},
    {0, "\x80\x03}"sv, "", {"a Python pickle", kExport}},
    {0, "\x80\x04\x95"sv, "", {"a Python pickle", kExport}},
    {0, "\x80\x05\x95"sv, "", {"a Python pickle", kExport}},
    {0, "\x93NUMPY"sv, "", {"a single NumPy array", "save all tensors by name with numpy.savez"}},
    {0, "\x89HDF\r\n\x1a\n"sv, "", {"an HDF5 file (Keras)", kExport}},
    {0, "\x08"sv, "\x12\x07pytorch", {"an ONNX model", kExport}},
    {0, "\x08"sv, "\x12\x07tf2onnx", {"an ONNX model", kExport}},
    {0, "GGUF"sv, "", {"a GGUF file", kExport}},
    {0, "\x1f\x8b"sv, "", {"a gzip file", kUnpack}},
    {257, "ustar"sv, "", {"a tar archive", kUnpack}},
    {0, "version https://git-lfs"sv, "", {"a Git LFS pointer", "get the file itself with `git lfs pull`"}},
};

// Compared after leading white space, in lower case.
constexpr Signature kText[] = {
    {0, "<!doctype html", "", {"an HTML page", kDownload}},
    {0, "<html", "", {"an HTML page", kDownload}},
    {0, "<?xml", "", {"an XML page", kDownload}},
    {0, "{", "", {"JSON text", "give the file of the weights"}},
    {0, "[", "", {"JSON text", "give the file of the weights"}},
};

constexpr ForeignFormat kEmpty{"an empty file", "copy or download it again"};

bool starts_like_safetensors(std::string_view head) {
    uint64_t header_bytes = 0;
    if (head.size() <= sizeof header_bytes) return false;
    std::memcpy(&header_bytes, head.data(), sizeof header_bytes);
    return header_bytes <= kMaxSafetensorsHeader && head[sizeof header_bytes] == '{';
}

std::string as_text(std::string_view head) {
    std::string text(head.substr(std::min(head.find_first_not_of(" \t\r\n"), head.size())));
    for (char& letter : text) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    return text;
}

template <size_t N>
const ForeignFormat* first_match(const Signature (&signatures)[N], std::string_view head) {
    for (const Signature& signature : signatures) {
        const bool matches = head.size() >= signature.at && head.substr(signature.at).starts_with(signature.bytes) &&
                             head.find(signature.within) != head.npos;
        if (matches) return &signature.format;
    }
    return nullptr;
}

}  // namespace

const ForeignFormat* foreign_format(std::string_view head) {
    if (head.empty()) return &kEmpty;
    if (starts_like_safetensors(head)) return nullptr;
    const ForeignFormat* binary = first_match(kBinary, head);
    return binary != nullptr ? binary : first_match(kText, as_text(head));
}

}  // namespace residual
