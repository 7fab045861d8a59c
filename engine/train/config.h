// The configuration of training and of the run's output.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/config/fields.h"
#include "engine/train/device_choice.h"

namespace residual {

enum class PrecisionChoice { fp32, tf32, bf16, automatic };
constexpr auto names_of(PrecisionChoice) {
    return std::array<std::string_view, 4>{"fp32", "tf32", "bf16", "auto"};
}

enum class KernelChoice { composed, fused, automatic };
constexpr auto names_of(KernelChoice) {
    return std::array<std::string_view, 3>{"composed", "fused", "auto"};
}

struct TrainConfig {
    // With this batch size, the largest activation of a ResNet on 32x32 images (2^14 elements per image) has 2^30
    // elements; ops::conv supports up to 2^31 - 1. A batch cannot be larger than the data set either.
    static constexpr std::int64_t kLargestBatch = 1 << 16;

    std::int64_t steps = 64000;
    std::int64_t batch_size = 128;
    std::uint64_t seed = 0;
    PrecisionChoice precision = PrecisionChoice::automatic;
    DeviceChoice device = DeviceChoice::automatic;
    KernelChoice kernels = KernelChoice::automatic;
    bool deterministic = true;

    void describe(Fields& fields) {
        fields.get("steps", steps, at_least(1), "weight updates");
        fields.get("batch_size", batch_size, between(1, kLargestBatch), fixed_in_run("images per update"));
        fields.get("seed", seed, fixed_in_run("seed of the initial weights, the image order, the crops and the flips"));
        fields.get("precision", precision, "auto: bf16 on a GPU that supports it, else fp32");
        std::string device_name = name_of(device);
        fields.get(
            "device", device_name, kDeviceForm,
            "cuda: the first GPU; cuda:N: GPU number N, counted from 0; auto: the first GPU if there is one, else "
            "the CPU");
        device = device_named(device_name).value();
        fields.get("kernels", kernels,
                   "composed: one operation at a time; fused: kernels that combine several operations for the shapes "
                   "they support, bf16 on a GPU only; auto: composed");
        fields.get("deterministic", deterministic, "the same command gives the same bits; false may be faster");
    }
    bool operator==(const TrainConfig&) const = default;
};

struct RunConfig {
    std::optional<std::string> dir;
    std::int64_t log_every = 200;
    std::int64_t eval_every = 2000;
    std::int64_t checkpoint_every = 2000;
    std::optional<std::int64_t> keep = 5;  // Empty: all.
    bool tensorboard = true;

    void describe(Fields& fields) {
        fields.get("dir", dir, "run folder; null: `runs/` followed by the name of the configuration file");
        fields.get("log_every", log_every, at_least(1), "steps between training rows of the metrics");
        fields.get("eval_every", eval_every, at_least(1), "steps between evaluations on the test set");
        fields.get("checkpoint_every", checkpoint_every, at_least(1), "steps between checkpoints");
        fields.get("keep", keep, at_least(1), "all", "number of newest checkpoints to keep");
        fields.get("tensorboard", tensorboard, "also write the metrics to event files for TensorBoard");
    }
    bool operator==(const RunConfig&) const = default;
};

}  // namespace residual
