// How long and on what a run trains, and what it leaves behind.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/config/fields.h"

namespace residual {

enum class PrecisionChoice { fp32, tf32, bf16, automatic };
constexpr auto names_of(PrecisionChoice) {
    return std::array<std::string_view, 4>{"fp32", "tf32", "bf16", "auto"};
}

enum class DeviceChoice { cuda, cpu, automatic };
constexpr auto names_of(DeviceChoice) {
    return std::array<std::string_view, 3>{"cuda", "cpu", "auto"};
}

enum class KernelChoice { composed, fused, automatic };
constexpr auto names_of(KernelChoice) {
    return std::array<std::string_view, 3>{"composed", "fused", "auto"};
}

struct TrainConfig {
    // Of any data set; the training images of the one that is used bound it further. An activation of up to 2^15
    // elements per image is within 31 bits.
    static constexpr std::int64_t kLargestBatch = 1 << 16;

    std::int64_t steps = 64000;
    std::int64_t batch_size = 128;
    std::uint64_t seed = 0;
    PrecisionChoice precision = PrecisionChoice::automatic;
    DeviceChoice device = DeviceChoice::automatic;
    KernelChoice kernels = KernelChoice::automatic;
    bool deterministic = true;

    void describe(Fields& fields) {
        fields.get("steps", steps, at_least(1), "updates of the weights");
        fields.get("batch_size", batch_size, between(1, kLargestBatch), fixed_in_run("images per update"));
        fields.get("seed", seed, fixed_in_run("of the initial weights, the order, the crops and the flips"));
        fields.get("precision", precision, "auto: bf16 on a GPU that has it, else fp32");
        fields.get("device", device, "auto: the GPU where there is one, else the CPU");
        fields.get("kernels", kernels,
                   "composed: operation by operation; fused: own kernels that do several in one pass, for the shapes "
                   "they know, in bf16 on a GPU and refused elsewhere; auto: composed");
        fields.get("deterministic", deterministic, "the same command gives the same bits; false may be faster");
    }
    bool operator==(const TrainConfig&) const = default;
};

struct RunConfig {
    std::optional<std::string> dir;
    std::int64_t log_every = 200;
    std::int64_t eval_every = 2000;
    std::int64_t checkpoint_every = 2000;
    std::optional<std::int64_t> keep = 5;  // None: all.

    void describe(Fields& fields) {
        fields.get("dir", dir, "folder of the results; null: `runs/` and the name of the configuration file");
        fields.get("log_every", log_every, at_least(1), "steps from one training row of the metrics to the next");
        fields.get("eval_every", eval_every, at_least(1), "steps from one evaluation on the test set to the next");
        fields.get("checkpoint_every", checkpoint_every, at_least(1), "steps from one checkpoint to the next");
        fields.get("keep", keep, at_least(1), "all", "newest checkpoints that stay");
    }
    bool operator==(const RunConfig&) const = default;
};

}  // namespace residual
