#include "engine/core/home.h"

#include <cstdlib>

#include "engine/core/error.h"

namespace residual {

std::string expand_home(const std::string& path) {
    if (!path.starts_with('~')) return path;
    if (path.size() > 1 && path[1] != '/') {
        throw InputError(path + ": ~ is expanded only in ~ and ~/...; give the full path, or ./" + path +
                         " for a file of that name");
    }
    const char* home = std::getenv("HOME");
    if (home == nullptr || *home == '\0') {
        throw InputError(path + ": ~ cannot be expanded because HOME is not set; set it, or give the full path");
    }
    return home + path.substr(1);
}

}  // namespace residual
