// Replaces libFuzzer's main: runs a fuzz target once for each file in the given folders.
//     fuzz-<target> FOLDER...
// Fails if a folder is empty; a finding aborts the program.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/target.h"

namespace fs = std::filesystem;

namespace {

// The buffer is exactly as large as the file, so that AddressSanitizer detects reads beyond it.
std::vector<uint8_t> bytes_of(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::vector<uint8_t> bytes(fs::file_size(path));
    in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!in) throw std::runtime_error("cannot read " + path.string());
    return bytes;
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) {
        std::fputs("usage: fuzz-<target> FOLDER...\n", stderr);
        return 2;
    }
    for (int i = 1; i < count; ++i) {
        std::vector<fs::path> files;
        for (const fs::directory_entry& entry : fs::directory_iterator(arguments[i])) files.push_back(entry.path());
        if (files.empty()) {
            std::fprintf(stderr, "%s contains no files\n", arguments[i]);
            return 1;
        }
        std::sort(files.begin(), files.end());
        for (const fs::path& file : files) {
            std::printf("%s\n", file.c_str());
            std::fflush(stdout);
            const std::vector<uint8_t> bytes = bytes_of(file);
            LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
        }
        std::printf("%s: %zu files\n", arguments[i], files.size());
    }
}
