// The checkpoints in a folder, by their names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace residual {

struct StoredCheckpoint {
    int64_t step;
    std::filesystem::path path;
};

inline constexpr std::string_view kBestCheckpoint = "best.safetensors", kLastCheckpoint = "last.safetensors";

// "step-00064000.safetensors" in `folder`.
std::filesystem::path numbered_checkpoint(const std::filesystem::path& folder, int64_t step);
// 64000 for "step-00064000.safetensors"; empty for any other name.
std::optional<int64_t> step_in_name(std::string_view name);

// The step in the header of a checkpoint; empty if the file cannot be read or is not a checkpoint of a run.
std::optional<int64_t> step_in_file(const std::filesystem::path& path);

// Both functions throw InputError if the folder cannot be read.
// The numbered checkpoints, newest first. They are not opened.
std::vector<StoredCheckpoint> numbered_checkpoints(const std::filesystem::path& folder);
// The checkpoints under names that no run gives, newest first. The headers of all such *.safetensors files are read;
// one that cannot be read is left out.
std::vector<StoredCheckpoint> renamed_checkpoints(const std::filesystem::path& folder);

}  // namespace residual
