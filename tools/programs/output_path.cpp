#include "tools/programs/output_path.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "engine/core/error.h"

namespace residual::tools {

void check_output_path(const std::string& argument, const std::string& path) {
    std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (folder.empty()) folder = ".";
    std::error_code unknown;
    if (std::filesystem::is_directory(path, unknown)) throw InputError(argument + " " + path + ": this is a folder");
    if (!std::filesystem::is_directory(folder, unknown)) {
        throw InputError(argument + " " + path + ": there is no folder " + folder.string());
    }
    if (access(folder.c_str(), W_OK) != 0) {
        throw InputError(argument + " " + path + ": cannot write to the folder " + folder.string() + ": " +
                         std::strerror(errno));
    }
}

}  // namespace residual::tools
