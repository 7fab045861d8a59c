#include "engine/train/device.h"

#include <fmt/format.h>

namespace residual {

std::unique_ptr<Backend> make_backend(const TrainConfig& config, const PlanLog& log) {
    const bool fused = config.kernels == KernelChoice::fused;
    const bool cuda = config.device.kind == DeviceChoice::Kind::cuda ||
                      (config.device == DeviceChoice::automatic && why_no_cuda().empty());
    if (cuda) {
        const bool float32 = config.precision == PrecisionChoice::fp32 || config.precision == PrecisionChoice::tf32;
        if (fused && float32) {
            throw InputError(
                fmt::format("train.kernels is \"fused\", which requires bfloat16, but train.precision is \"{}\"; set "
                            "train.precision to \"bf16\" or train.kernels to \"composed\"",
                            name_of(config.precision)));
        }
        return make_cuda_backend({.deterministic = config.deterministic,
                                  .allow_tf32 = config.precision == PrecisionChoice::tf32,
                                  .fused = fused,
                                  .device = config.device.gpu,
                                  .log = log});
    }
    if (config.precision == PrecisionChoice::tf32) {
        throw InputError(
            "train.precision is \"tf32\", which needs a CUDA device; choose \"auto\" or \"fp32\" on the CPU");
    }
    if (fused) {
        throw InputError(
            "train.kernels is \"fused\", which needs a CUDA device; choose \"auto\" or \"composed\" on the CPU");
    }
    return make_cpu_backend();
}

DType activation_type(const Backend& backend, PrecisionChoice precision) {
    const bool bfloat16 =
        precision == PrecisionChoice::bf16 || (precision == PrecisionChoice::automatic && backend.prefers_bfloat16());
    return bfloat16 ? DType::kBFloat16 : DType::kFloat32;
}

}  // namespace residual
