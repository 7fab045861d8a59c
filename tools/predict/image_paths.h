// The image files that a command line names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace residual::tools {

// A folder stands for the PNG and JPEG files in it (by their suffixes, not in its subfolders), sorted by name. Throws
// InputError if a folder has none or cannot be read.
std::vector<std::string> image_files(const std::vector<std::string>& paths);

// The bytes of a file; "-" is standard input. Throws InputError with the reason, without the path, if it cannot be read
// or is larger than 256 MiB.
std::vector<uint8_t> read_image_file(const std::string& path);

}  // namespace residual::tools
