#include "tools/predict/image_paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "engine/core/error.h"

namespace residual::tools {

namespace {

bool has_image_suffix(const std::filesystem::path& path) {
    std::string suffix = path.extension().string();
    std::ranges::transform(suffix, suffix.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
    return suffix == ".png" || suffix == ".jpg" || suffix == ".jpeg";
}

std::vector<std::string> files_in(const std::string& folder) {
    std::vector<std::string> files;
    std::error_code unknown;  // Of one entry: reported when it is read.
    try {
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            if (has_image_suffix(entry.path()) && !entry.is_directory(unknown)) files.push_back(entry.path().string());
        }
    } catch (const std::filesystem::filesystem_error& error) {
        throw InputError(folder + ": cannot be read: " + error.code().message());
    }
    if (files.empty()) throw InputError(folder + ": no .png, .jpg or .jpeg file is in this folder");
    std::ranges::sort(files);
    return files;
}

}  // namespace

std::vector<std::string> image_files(const std::vector<std::string>& paths) {
    std::vector<std::string> files;
    for (const std::string& path : paths) {
        std::error_code unknown;  // Reported when the file is read.
        if (path != "-" && std::filesystem::is_directory(path, unknown)) {
            const std::vector<std::string> found = files_in(path);
            files.insert(files.end(), found.begin(), found.end());
        } else {
            files.push_back(path);
        }
    }
    return files;
}

std::vector<uint8_t> read_image_file(const std::string& path) {
    constexpr size_t kLargest = size_t{1} << 28, kPiece = size_t{1} << 20;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(path == "-" ? nullptr : std::fopen(path.c_str(), "rb"),
                                                                 std::fclose);
    std::FILE* const file = path == "-" ? stdin : opened.get();
    const auto fail = [] { throw InputError(std::string("cannot be read: ") + std::strerror(errno)); };
    if (file == nullptr) fail();
    std::vector<uint8_t> bytes;
    while (true) {
        const size_t size = bytes.size();
        bytes.resize(size + kPiece);
        const size_t got = std::fread(&bytes[size], 1, kPiece, file);
        bytes.resize(size + got);
        if (std::ferror(file) != 0) fail();
        if (got == 0) return bytes;
        if (bytes.size() > kLargest) {
            throw InputError(fmt::format("the file is larger than {} MiB", kLargest >> 20));
        }
    }
}

}  // namespace residual::tools
