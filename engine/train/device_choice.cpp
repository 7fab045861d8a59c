#include "engine/train/device_choice.h"

namespace residual {

std::string name_of(const DeviceChoice& choice) {
    switch (choice.kind) {
        case DeviceChoice::Kind::automatic:
            return "auto";
        case DeviceChoice::Kind::cpu:
            return "cpu";
        case DeviceChoice::Kind::cuda:
            break;
    }
    return choice.gpu == 0 ? "cuda" : "cuda:" + std::to_string(choice.gpu);
}

std::optional<DeviceChoice> device_named(const std::string& name) {
    for (const DeviceChoice& choice : {DeviceChoice::automatic, DeviceChoice::cpu, DeviceChoice::cuda}) {
        if (name == name_of(choice)) return choice;
    }
    constexpr std::string_view kPrefix = "cuda:";
    if (!name.starts_with(kPrefix)) return std::nullopt;
    const std::string number = name.substr(kPrefix.size());
    if (number.empty() || number.size() > 3 || number.find_first_not_of("0123456789") != number.npos) {
        return std::nullopt;
    }
    return DeviceChoice{DeviceChoice::Kind::cuda, std::stoi(number)};
}

}  // namespace residual
