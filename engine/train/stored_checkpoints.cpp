#include "engine/train/stored_checkpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

#include "engine/core/error.h"
#include "engine/io/checkpoint.h"

namespace residual {

namespace {

constexpr std::string_view kPrefix = "step-", kSuffix = ".safetensors";

void sort_newest_first(std::vector<StoredCheckpoint>& checkpoints) {
    std::sort(checkpoints.begin(), checkpoints.end(),
              [](const StoredCheckpoint& a, const StoredCheckpoint& b) { return a.step > b.step; });
}

// Calls use(path, name) for each file in `folder`.
template <class Use>
void for_each_file(const std::filesystem::path& folder, Use use) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        use(entry->path(), entry->path().filename().string());
    }
    if (error) throw InputError(fmt::format("{}: the folder cannot be read: {}", folder.string(), error.message()));
}

}  // namespace

std::filesystem::path numbered_checkpoint(const std::filesystem::path& folder, int64_t step) {
    return folder / fmt::format("{}{:08}{}", kPrefix, step, kSuffix);
}

std::optional<int64_t> step_in_name(std::string_view name) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
    name.remove_prefix(kPrefix.size());
    name.remove_suffix(std::min(name.size(), kSuffix.size()));
    int64_t step = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
    const bool whole = error == std::errc() && end == name.data() + name.size();
    return whole && name.size() >= 8 && name.front() != '-' ? std::optional(step) : std::nullopt;
}

std::optional<int64_t> step_in_file(const std::filesystem::path& path) {
    try {
        return read_checkpoint_step(path);
    } catch (const InputError&) {
        return std::nullopt;
    }
}

std::vector<StoredCheckpoint> numbered_checkpoints(const std::filesystem::path& folder) {
    std::vector<StoredCheckpoint> found;
    for_each_file(folder, [&](const std::filesystem::path& path, const std::string& name) {
        if (const auto step = step_in_name(name)) found.push_back({*step, path});
    });
    sort_newest_first(found);
    return found;
}

std::vector<StoredCheckpoint> renamed_checkpoints(const std::filesystem::path& folder) {
    std::vector<StoredCheckpoint> found;
    for_each_file(folder, [&](const std::filesystem::path& path, const std::string& name) {
        const bool run_name = name == kLastCheckpoint || name == kBestCheckpoint || step_in_name(name);
        if (!name.ends_with(kSuffix) || run_name) return;
        if (const auto step = step_in_file(path)) found.push_back({*step, path});
    });
    sort_newest_first(found);
    return found;
}

}  // namespace residual
