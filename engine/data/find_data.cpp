#include "engine/data/find_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <system_error>
#include <vector>

#include "engine/core/home.h"

namespace residual {
namespace {

namespace fs = std::filesystem;

// "CIFAR10_DIR".
std::string data_variable(const DataFormat& format) {
    std::string name = format.name + "_DIR";
    for (char& letter : name) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    return name;
}

// The path in an environment variable; empty if it is not set.
std::optional<std::string> path_in(const std::string& variable) {
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    try {
        return expand_home(value);
    } catch (const InputError& error) {
        throw DataError(fmt::format("{}: {}", variable, error.what()));
    }
}

// What a folder contains, sorted by name; `error` if it cannot be read.
std::vector<fs::path> entries_of(const fs::path& folder, std::error_code& error) {
    std::vector<fs::path> entries;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        entries.push_back(entry->path());
    }
    // A folder can be listed without permission to open what it contains.
    if (!error) (void)fs::status(folder / ".", error);
    std::sort(entries.begin(), entries.end());
    return entries;
}

// "a.txt, b and 7 more"
std::string abbreviated(const std::vector<fs::path>& entries) {
    constexpr size_t kShown = 4;
    std::vector<std::string> names;
    for (const fs::path& entry : entries) {
        if (names.size() < kShown) names.push_back(entry.filename().string());
    }
    const size_t more = entries.size() - names.size();
    return fmt::format("{}{}", fmt::join(names, ", "), more == 0 ? "" : fmt::format(" and {} more", more));
}

// What is at `folder`, which does not hold the data set.
std::string description_of(const fs::path& folder) {
    std::error_code error, ignored;
    const fs::file_status status = fs::status(folder, error);
    if (status.type() == fs::file_type::not_found) {
        const fs::path target = fs::read_symlink(folder, ignored);
        if (target.empty()) return "there is no such folder";
        return fmt::format("it is a link to {}, which does not exist", target.string());
    }
    if (!error && !fs::is_directory(status)) return "it is a file, not a folder";
    const std::vector<fs::path> entries = error ? std::vector<fs::path>{} : entries_of(folder, error);
    if (error) return "it cannot be read: " + error.message();
    return entries.empty() ? "it is empty" : "it holds " + abbreviated(entries);
}

// "data_batch_1.bin, ..., test_batch.bin"
std::string files_of(const DataFormat& format) {
    std::vector<std::string> files = format.train_files;
    files.insert(files.end(), format.test_files.begin(), format.test_files.end());
    if (files.size() > 2) files = {files.front(), "...", files.back()};
    return fmt::format("{}", fmt::join(files, ", "));
}

// The folder that contains `folder`, and the folders that it contains.
std::vector<fs::path> near(const fs::path& folder) {
    std::error_code ignored;
    fs::path path = fs::absolute(folder, ignored).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();  // "data/"
    std::vector<fs::path> found = {path.parent_path()};
    for (const fs::path& entry : entries_of(folder, ignored)) {
        if (fs::is_directory(entry, ignored)) found.push_back(entry);
    }
    return found;
}

// Where the data set is, or in which other form it is here; empty if unknown.
std::string found_near(const DataFormat& format, const fs::path& folder) {
    const std::vector<fs::path> places = near(folder);
    for (const fs::path& place : places) {
        if (const auto found = format.locate(place)) return fmt::format("its files are in {}", found->string());
    }
    for (const fs::path& place : places) {
        if (const std::string found = format.mistaken_for(place); !found.empty()) return found;
    }
    return "";
}

// What `folder` is or holds instead of the data set.
std::string found_instead(const DataFormat& format, const fs::path& folder) {
    for (const std::string_view name : data_format_names()) {
        const DataFormat& other = data_format(name);
        if (&other != &format && other.locate(folder)) {
            return fmt::format("it holds {}: set data.format to \"{}\"", other.description.name, name);
        }
    }
    if (const std::string found = format.mistaken_for(folder); !found.empty()) return found;
    const std::string nearby = found_near(format, folder);
    return fmt::format("{} (looked for {}){}{}", description_of(folder), files_of(format), nearby.empty() ? "" : "; ",
                       nearby);
}

}  // namespace

fs::path find_data(const DataFormat& format, const std::optional<std::string>& configured) {
    const std::string variable = data_variable(format);
    fs::path folder;
    std::string place;
    if (configured) {
        folder = *configured;
        place = fmt::format("{} (from data.dir)", *configured);
    } else if (const auto named = path_in(variable)) {
        folder = *named;
        place = fmt::format("{} (from the environment variable {})", *named, variable);
    } else {
        const std::optional<std::string> cache = path_in("XDG_CACHE_HOME"), home = path_in("HOME");
        place = fmt::format("data.dir and {} are not set, ", variable);
        if (!cache && !home) {
            throw DataError(fmt::format("no {} found: {}and there is no cache to search because HOME is not set",
                                        format.description.name, place));
        }
        folder = (cache ? fs::path(*cache) : fs::path(*home) / ".cache") / "residual" / format.name;
        place += fmt::format("and it is not in the cache {}", folder.string());
    }
    if (const auto found = format.locate(folder)) return *found;
    throw DataError(fmt::format("no {} found: {}; {}", format.description.name, place, found_instead(format, folder)));
}

}  // namespace residual
