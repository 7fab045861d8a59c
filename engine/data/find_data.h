// Finds the folder of a data set, or says what is there instead.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engine/data/registry.h"

namespace residual {

// The folder to read: `configured`, else the environment variable, else the cache
// (${XDG_CACHE_HOME:-$HOME/.cache}/residual/<name>). Only the first of these that is set is searched; a leading `~` in
// a variable is expanded. If the files are not there, throws a DataError that names the folder, the files, what the
// folder is or holds instead, and the data set or archive if it is nearby.
std::filesystem::path find_data(const DataFormat& format, const std::optional<std::string>& configured);

}  // namespace residual
