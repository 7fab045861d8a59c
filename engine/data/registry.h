// The data sets that data.format can name.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/data/data_set.h"

namespace residual {

// One data set. `name` is also the name of its folder in the cache. Its environment variable is the name in upper case
// followed by _DIR: CIFAR10_DIR for "cifar10".
struct DataFormat {
    std::string name;
    DataDescription description;
    // The folder that holds the files, either `folder` or one of its subfolders; empty if there is none.
    std::function<std::optional<std::filesystem::path>(const std::filesystem::path& folder)> locate;
    // Reads the files from a folder that locate() returned. Throws DataError if one is missing or damaged.
    std::function<DataSet(const std::filesystem::path& folder)> load;
    // Says, for an error message, what a folder without the files holds instead ("the archive ... has not been
    // unpacked"); empty if unknown. It need not recognise other registered data sets.
    std::function<std::string(const std::filesystem::path& folder)> mistaken_for = [](const auto&) { return ""; };
};

// Adds a data set to the built-in ones. The name must be new. Call this before reading any configuration.
void register_data_format(DataFormat format);

std::vector<std::string_view> data_format_names();
// `name` must be one of data_format_names().
const DataFormat& data_format(std::string_view name);

// "CIFAR10_DIR".
std::string data_variable(const DataFormat& format);

// The folder to read: `configured`, else the environment variable, else the cache
// (${XDG_CACHE_HOME:-$HOME/.cache}/residual/<name>). Only the first of these that is set is searched. Throws a
// DataError naming it, and what it holds instead, if the files are not there.
std::filesystem::path find_data(const DataFormat& format, const std::optional<std::string>& configured);

}  // namespace residual
