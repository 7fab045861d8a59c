// The data sets that the key data.format names.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/data/data_set.h"

namespace residual {

// One data set. Its name also names its folder in the cache and, in capitals with _DIR, its variable of the
// environment: "cifar10", CIFAR10_DIR.
struct DataFormat {
    std::string name;
    DataDescription description;
    // The folder of the files where `folder` is asked for: itself or one inside it; nothing where neither holds them.
    std::function<std::optional<std::filesystem::path>(const std::filesystem::path& folder)> locate;
    // Reads the files in a folder that locate() gave. DataError where one is missing or damaged.
    std::function<DataSet(const std::filesystem::path& folder)> load;
    // What a path without the files holds instead: "the archive, which has to be unpacked"; empty where nothing is
    // known of it. Other data sets of the registry need not be looked for.
    std::function<std::string(const std::filesystem::path& folder)> mistaken_for = [](const auto&) { return ""; };
};

// Adds to those that every program knows. The name is new, and it has to come before any configuration is read.
void register_data_format(DataFormat format);

std::vector<std::string_view> data_format_names();
// Of one of these names.
const DataFormat& data_format(std::string_view name);

// "CIFAR10_DIR".
std::string data_variable(const DataFormat& format);

// The folder to read: `configured`, else that of the environment's variable, else the cache
// (${XDG_CACHE_HOME:-$HOME/.cache}/residual/<name>). A folder asked for is never replaced by one lower in the list:
// where the files are missing, a DataError lists the places looked at and what is there instead.
std::filesystem::path find_data(const DataFormat& format, const std::optional<std::string>& configured);

}  // namespace residual
