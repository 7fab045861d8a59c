#include "tools/programs/output_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <span>
#include <system_error>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"

namespace residual::tools {

void check_output_path(const std::string& option, const std::string& path, const std::filesystem::path& input) {
    if (path.empty()) return;
    std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (folder.empty()) folder = ".";
    std::error_code unknown;
    const auto type = std::filesystem::symlink_status(path, unknown).type();
    if (std::filesystem::is_directory(path, unknown)) throw InputError(option + " " + path + ": this is a folder");
    if (type != std::filesystem::file_type::not_found && type != std::filesystem::file_type::regular) {
        throw InputError(option + " " + path + ": this is not a regular file, and would be replaced by one");
    }
    if (std::filesystem::equivalent(path, input, unknown)) {
        throw InputError(option + " " + path + ": this is the file to read; give another name");
    }
    if (!std::filesystem::is_directory(folder, unknown)) {
        throw InputError(option + " " + path + ": there is no folder " + folder.string());
    }
    if (access(folder.c_str(), W_OK) != 0) {
        throw InputError(option + " " + path + ": cannot write to the folder " + folder.string() + ": " +
                         std::strerror(errno));
    }
}

void write_output(const std::string& path, const std::string& contents) {
    write_file_atomically(path, std::as_bytes(std::span(contents)));
}

}  // namespace residual::tools
