// Files that a program writes at its end.
#pragma once

#include <filesystem>
#include <string>

namespace residual::tools {

// Call this before the work, so that a wrong path is reported at once. Throws InputError, which names `option`, if
// `path` exists and is not a regular file, if it is the file `input`, or if its folder does not exist or cannot be
// written to. An empty path is an option that was not given.
void check_output_path(const std::string& option, const std::string& path, const std::filesystem::path& input = {});

// Writes the file atomically. Throws Error on failure.
void write_output(const std::string& path, const std::string& contents);

}  // namespace residual::tools
