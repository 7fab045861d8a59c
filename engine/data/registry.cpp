#include "engine/data/registry.h"

#include <algorithm>
#include <deque>
#include <system_error>
#include <utility>

namespace residual {

// Defined in the file of that name, and listed in formats().
DataFormat cifar10_format();
DataFormat cifar100_format();

namespace {

// A deque keeps references to its elements valid.
std::deque<DataFormat>& formats() {
    static std::deque<DataFormat> all = {cifar10_format(), cifar100_format()};
    return all;
}

const DataFormat* find_format(std::string_view name) {
    const auto found =
        std::find_if(formats().begin(), formats().end(), [&](const DataFormat& format) { return format.name == name; });
    return found == formats().end() ? nullptr : &*found;
}

}  // namespace

bool holds_any(const std::filesystem::path& folder, const std::vector<std::string>& names) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        std::error_code ignored;
        return std::filesystem::exists(folder / name, ignored);
    });
}

void register_data_format(DataFormat format) {
    RESIDUAL_ASSERT(find_format(format.name) == nullptr);
    formats().push_back(std::move(format));
}

std::vector<std::string_view> data_format_names() {
    std::vector<std::string_view> names;
    for (const DataFormat& format : formats()) names.push_back(format.name);
    return names;
}

const DataFormat& data_format(std::string_view name) {
    const DataFormat* format = find_format(name);
    RESIDUAL_ASSERT(format != nullptr);
    return *format;
}

}  // namespace residual
