// Where tensors live and operations run.
#pragma once

#include <string_view>

namespace engine {

enum class DeviceType { kCpu, kCuda };

constexpr std::string_view name_of(DeviceType device) {
    return device == DeviceType::kCpu ? "cpu" : "cuda";
}

}  // namespace engine
