#include "engine/data/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <deque>
#include <utility>

namespace residual {

// Defined in the file of that name, and listed in formats().
DataFormat cifar10_format();
DataFormat cifar100_format();

namespace {

namespace fs = std::filesystem;

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

std::optional<std::string> environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

// What `folder` holds instead: "; it holds CIFAR-100: set data.format to \"cifar100\""; empty if unknown.
std::string found_instead(const DataFormat& format, const fs::path& folder) {
    for (const DataFormat& other : formats()) {
        if (&other != &format && other.locate(folder)) {
            return fmt::format("; it holds {}: set data.format to \"{}\"", other.description.name, other.name);
        }
    }
    const std::string found = format.mistaken_for(folder);
    return found.empty() ? "" : "; " + found;
}

}  // namespace

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

std::string data_variable(const DataFormat& format) {
    std::string name = format.name + "_DIR";
    for (char& letter : name) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    return name;
}

fs::path find_data(const DataFormat& format, const std::optional<std::string>& configured) {
    const std::string variable = data_variable(format);
    fs::path folder;
    std::string place;
    if (const auto named = environment(variable); configured) {
        folder = *configured;
        place = fmt::format("{} (from data.dir)", *configured);
    } else if (named) {
        folder = *named;
        place = fmt::format("{} (from the environment variable {})", *named, variable);
    } else {
        const std::optional<std::string> cache = environment("XDG_CACHE_HOME"), home = environment("HOME");
        place = fmt::format("data.dir and {} are not set, ", variable);
        if (!cache && !home) {
            throw DataError(fmt::format("no {} found: {}and there is no cache to search because HOME is not set",
                                        format.description.name, place));
        }
        folder = (cache ? fs::path(*cache) : fs::path(*home) / ".cache") / "residual" / format.name;
        place += fmt::format("and it is not in the cache {}", folder.string());
    }
    if (const auto found = format.locate(folder)) return *found;
    throw DataError(fmt::format("no {} found: {}{}", format.description.name, place, found_instead(format, folder)));
}

}  // namespace residual
