#include "tools/programs/output_file.h"

#include <filesystem>
#include <span>
#include <system_error>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"

namespace residual::tools {

void check_output_path(const std::string& option, const std::string& path) {
    if (path.empty()) return;
    const auto folder = std::filesystem::path(path).parent_path();
    std::error_code unknown;
    if (std::filesystem::is_directory(path, unknown)) throw InputError(option + " " + path + ": this is a folder");
    if (!folder.empty() && !std::filesystem::is_directory(folder, unknown)) {
        throw InputError(option + " " + path + ": there is no folder " + folder.string());
    }
}

void write_text(const std::string& path, const std::string& text) {
    write_file_atomically(path, std::as_bytes(std::span(text)));
}

}  // namespace residual::tools
