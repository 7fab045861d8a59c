#include "tools/run/compatibility.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace residual::tools {
namespace {

// Compares the keys that are fixed at `level`.
void refuse_differences(const Checkpoint& checkpoint, const Experiment& wanted, Fixed level,
                        const std::string& remedy) {
    const auto values = [level](const Experiment& experiment) {
        return nlohmann::ordered_json::parse(to_json(experiment, level)).flatten();
    };
    const auto trained = values(experiment_of(checkpoint)), requested = values(wanted);
    std::string differences;
    for (const auto& item : requested.items()) {
        const std::string& pointer = item.key();
        const auto& value = item.value();
        // If only one of them has the key, the model families differ, which is reported anyway.
        if (!trained.contains(pointer) || trained.at(pointer) == value) continue;
        differences += fmt::format("{}{} is {} in the checkpoint, but {} was requested",
                                   differences.empty() ? "" : "; ", pointer, trained.at(pointer).dump(), value.dump());
    }
    if (differences.empty()) return;
    throw InputError(fmt::format("{}: {}; {}", checkpoint.path().string(), differences, remedy));
}

// "apple, aquarium_fish, baby, ..."
std::string abbreviated(const std::vector<std::string>& names) {
    constexpr size_t kShown = 3;
    const std::vector<std::string> shown(names.begin(), names.begin() + std::min(names.size(), kShown));
    return fmt::format("{}{}", fmt::join(shown, ", "), names.size() > kShown ? ", ..." : "");
}

}  // namespace

Experiment experiment_of(const Checkpoint& checkpoint) {
    const std::string file = checkpoint.path().string();
    if (!checkpoint.info()) {
        throw InputError(file + ": the file contains no configuration; give one with --config");
    }
    return experiment_from_json(checkpoint.info()->config, file + ", its configuration");
}

void refuse_other_model(const Checkpoint& checkpoint, const Experiment& wanted) {
    refuse_differences(checkpoint, wanted, Fixed::network, "use the configuration it was trained with");
}

void refuse_other_run(const Checkpoint& checkpoint, const Experiment& wanted) {
    refuse_differences(checkpoint, wanted, Fixed::run,
                       "resume with the values of the checkpoint, or start another run with --out");
}

void refuse_other_data(const Checkpoint& checkpoint, const DataDescription& data, std::optional<uint32_t> fingerprint,
                       const std::string& folder) {
    if (!checkpoint.info()) return;
    if (const auto& names = checkpoint.info()->class_names; !names.empty() && names != data.class_names) {
        throw InputError(fmt::format("{}: trained on the {} classes {}, but the {} classes of {} are {}",
                                     checkpoint.path().string(), names.size(), abbreviated(names), data.classes(),
                                     data.name, abbreviated(data.class_names)));
    }
    if (!fingerprint || checkpoint.info()->data_fingerprint == *fingerprint) return;
    throw InputError(fmt::format(
        "{}: trained on images with the fingerprint {}, but {} holds images with {}; give the folder of its training "
        "images with --data",
        checkpoint.path().string(), checksum_text(checkpoint.info()->data_fingerprint), folder,
        checksum_text(*fingerprint)));
}

}  // namespace residual::tools
