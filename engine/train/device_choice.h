// The device that train.device or --device names.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "engine/config/fields.h"

namespace residual {

struct DeviceChoice {
    enum class Kind { cuda, cpu, automatic };

    Kind kind;
    int gpu = 0;  // The number of the GPU, as CUDA counts them; 0 unless `kind` is cuda.

    static const DeviceChoice cuda, cpu, automatic;
    bool operator==(const DeviceChoice&) const = default;
};

inline constexpr DeviceChoice DeviceChoice::cuda{Kind::cuda};
inline constexpr DeviceChoice DeviceChoice::cpu{Kind::cpu};
inline constexpr DeviceChoice DeviceChoice::automatic{Kind::automatic};

// "auto", "cpu", "cuda" (the first GPU) or "cuda:N" (GPU number N, at most three digits); the first GPU is written as
// "cuda".
std::string name_of(const DeviceChoice& choice);
// Empty if no device has this name.
std::optional<DeviceChoice> device_named(const std::string& name);

inline constexpr std::array<std::string_view, 4> kDeviceExamples{"cuda", "cuda:1", "cpu", "auto"};
inline constexpr Form kDeviceForm{[](const std::string& name) { return device_named(name).has_value(); },
                                  "^(auto|cpu|cuda|cuda:[0-9]{1,3})$", kDeviceExamples};

}  // namespace residual
