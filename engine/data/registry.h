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
    // Names of the files in the folder. If it has none of `train_files`, it holds the test images only.
    std::vector<std::string> train_files, test_files;
    // The folder that holds any of the files, either `folder` or one of its subfolders; empty if there is none.
    std::function<std::optional<std::filesystem::path>(const std::filesystem::path& folder)> locate;
    // Read the records from a folder that locate() returned. Throw DataError if a file is missing or damaged.
    std::function<std::vector<uint8_t>(const std::filesystem::path&folder)> load_train, load_test;
    // Says, for an error message, in which other form a path without the files holds this data set ("the archive ...
    // has not been unpacked"); empty if unknown.
    std::function<std::string(const std::filesystem::path& path)> mistaken_for = [](const auto&) { return ""; };
};

// Whether `folder` contains at least one of these names.
bool holds_any(const std::filesystem::path& folder, const std::vector<std::string>& names);

// Adds a data set to the built-in ones. The name must be new. Call this before reading any configuration.
void register_data_format(DataFormat format);

std::vector<std::string_view> data_format_names();
// `name` must be one of data_format_names().
const DataFormat& data_format(std::string_view name);

}  // namespace residual
