#include "tools/run/stored_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "engine/train/stored_checkpoints.h"
#include "tools/run/compatibility.h"

namespace residual::tools {

std::vector<std::filesystem::path> checkpoints_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files = {folder / kLastCheckpoint};
    for (const auto& numbered : numbered_checkpoints(folder)) files.push_back(numbered.path);
    files.push_back(folder / kBestCheckpoint);
    std::erase_if(files, [](const std::filesystem::path& file) {
        std::error_code unknown;
        return !std::filesystem::exists(file, unknown);
    });
    return files;
}

std::filesystem::path checkpoint_in(const std::filesystem::path& path) {
    std::error_code unknown;  // A file that cannot be examined is reported when it is read.
    if (!std::filesystem::is_directory(path, unknown)) return path;
    if (const auto files = checkpoints_in(path); !files.empty()) return files.front();
    throw InputError(path.string() +
                     ": this folder holds no checkpoint (last, step-* or best.safetensors); give a checkpoint or the "
                     "folder of a run");
}

Checkpoint open_checkpoint(const std::string& path) {
    return Checkpoint::read(checkpoint_in(path));
}

Experiment experiment_for(const Checkpoint& checkpoint, const std::string& config,
                          std::span<const std::string> overrides) {
    if (!config.empty()) {
        const Experiment experiment = load_experiment(config, overrides);
        if (checkpoint.info()) refuse_other_model(checkpoint, experiment);
        return experiment;
    }
    const Experiment trained = experiment_of(checkpoint);
    Experiment experiment = experiment_from_json("{}", "the command line", overrides);
    experiment.model = trained.model;
    experiment.data.format = trained.data.format;
    experiment.train.batch_size = trained.train.batch_size;
    return experiment;
}

std::vector<float> mean_of(const Checkpoint& checkpoint, const DataDescription& data) {
    if (auto mean = checkpoint.mean(data.image_shape())) return *mean;
    throw InputError(fmt::format(
        "{}: the file has no per-pixel mean of the training images (tensor data.mean [{}, {}, {}]); add the tensor, or "
        "use a checkpoint that resnet-train has written",
        checkpoint.path().string(), data.channels, data.height, data.width));
}

}  // namespace residual::tools
