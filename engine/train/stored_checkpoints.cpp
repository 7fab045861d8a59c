#include "engine/train/stored_checkpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
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
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (const auto step = step_in_name(entry.path().filename().string())) found.push_back({*step, entry.path()});
    }
    sort_newest_first(found);
    return found;
}

std::vector<StoredCheckpoint> renamed_checkpoints(const std::filesystem::path& folder) {
    std::vector<StoredCheckpoint> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (!name.ends_with(kSuffix) || name == kLastCheckpoint || name == kBestCheckpoint || step_in_name(name)) {
            continue;
        }
        if (const auto step = step_in_file(entry.path())) found.push_back({*step, entry.path()});
    }
    sort_newest_first(found);
    return found;
}

}  // namespace residual
