#include "engine/backend/cuda/fused.h"

#include <fmt/format.h>

#include "kernels/batch_norm.h"
#include "kernels/classifier.h"
#include "kernels/stem.h"

namespace engine::cuda {

namespace {

kernels::HalfUnitShape half_unit_shape(const Conv2dParams& p) {
    return {p.batch,  p.height,  p.width,    p.in_channels,  p.out_channels,
            p.stride, p.pad_top, p.pad_left, p.out_height(), p.out_width()};
}

kernels::StemShape stem_shape(const Conv2dParams& p) {
    return {p.batch, p.height, p.width, p.pad_top, p.pad_left};
}

kernels::ClassifierShape classifier_shape(const Shape& x, int64_t classes) {
    return {static_cast<int>(x[0]), static_cast<int>(x[1] * x[2]), static_cast<int>(x[3]), static_cast<int>(classes)};
}

kernels::NormInput norm_input(const NormParams& p) {
    return {p.stats.mean.data<float>(), p.stats.variance.data<float>(), p.gamma.data<float>(), p.beta.data<float>(),
            p.epsilon};
}

kernels::RunningStats running_stats(const RunningUpdate& update) {
    if (!update.running.mean.defined()) return {};
    return {update.running.mean.data<float>(), update.running.variance.data<float>(), update.decay};
}

kernels::StatsGradient stats_gradient(const StatsGradient* part) {
    if (part == nullptr) return {};
    return {part->stats.mean.data<float>(), part->stats.variance.data<float>(), part->gamma.data<float>(),
            part->dgamma.data<float>(),     part->dbeta.data<float>(),          part->epsilon};
}

template <class T>
T* data_or_null(const Tensor& x) {
    return x.defined() ? x.data<T>() : nullptr;
}

kernels::ResidualKind residual_kind(const HalfUnit& unit) {
    if (!unit.residual.defined()) return kernels::ResidualKind::kNone;
    return unit.pools_residual ? kernels::ResidualKind::kAveragePool : kernels::ResidualKind::kIdentity;
}

bool pads_at_most_one(const Conv2dParams& p) {
    return p.pad_top <= 1 && p.pad_bottom <= 1 && p.pad_left <= 1 && p.pad_right <= 1;
}

}  // namespace

CudaFusedOps::CudaFusedOps(Backend& backend, kernels::Cuda exec, const Tensor& tickets, size_t shared_bytes)
    : backend_(backend), exec_(exec), tickets_(tickets), shared_bytes_(shared_bytes) {}

CudaFusedOps::Scratch CudaFusedOps::scratch(size_t floats) {
    const Tensor memory = backend_.empty({static_cast<int64_t>(floats)}, DType::kFloat32);
    return {memory, {memory.data<float>(), static_cast<uint32_t*>(tickets_.data())}};
}

// norm_backward() adds the part to a gradient; here, to one of zeros.
void CudaFusedOps::add_stats_gradient(const StatsGradient& part, const Tensor& x, const Tensor& dx) {
    const Tensor zeros = backend_.zeros(x.shape(), x.dtype());
    const int channels = static_cast<int>(x.shape()[-1]);
    const float* gamma = part.gamma.data<float>();
    kernels::norm_backward(exec_, {x.elements() / channels, channels}, zeros.data<bfloat16>(), x.data<bfloat16>(),
                           part.stats.mean.data<float>(), part.stats.variance.data<float>(), gamma, gamma, part.epsilon,
                           false, part.dgamma.data<float>(), part.dbeta.data<float>(), dx.data<bfloat16>(), true);
}

bool CudaFusedOps::has_half_unit(const Conv2dParams& conv, DType dtype) {
    const kernels::HalfUnitShape shape = half_unit_shape(conv);
    if (dtype != DType::kBFloat16 || conv.kernel != 3 || !pads_at_most_one(conv)) return false;
    if (!kernels::half_unit_supported(shape)) return false;
    const size_t need = kernels::half_unit_shared_bytes(shape);
    if (need > shared_bytes_ && !said_) {
        fmt::print(stderr,
                   "note: a block of this GPU has {} bytes of shared memory; fused convolutions that need more, such "
                   "as that of {} to {} channels with {}, are composed of cuDNN's operations\n",
                   shared_bytes_, conv.in_channels, conv.out_channels, need);
        said_ = true;
    }
    return need <= shared_bytes_;
}

void CudaFusedOps::half_unit(const HalfUnit& unit, const RunningUpdate& running, const HalfUnitResult& result) {
    const kernels::HalfUnitShape shape = half_unit_shape(unit.conv);
    const Scratch sums = scratch(kernels::half_unit_forward_scratch_floats(exec_, shape));
    kernels::half_unit_forward(exec_, shape,
                               {.x = unit.x.data<bfloat16>(),
                                .norm = norm_input(unit.norm),
                                .running = running_stats(running),
                                .weight = unit.weight.data<bfloat16>(),
                                .residual_kind = residual_kind(unit),
                                .residual = data_or_null<bfloat16>(unit.residual),
                                .y = result.y.data<bfloat16>(),
                                .mean = data_or_null<float>(result.stats.mean),
                                .variance = data_or_null<float>(result.stats.variance),
                                .p = data_or_null<bfloat16>(result.p)},
                               sums.pointers);
}

void CudaFusedOps::half_unit_backward(const HalfUnit& unit, const Tensor& y, const Tensor& dy,
                                      const StatsGradient* part, const Tensor& dp, const HalfUnitGradients& gradients) {
    const kernels::HalfUnitShape shape = half_unit_shape(unit.conv);
    const Scratch sums = scratch(kernels::half_unit_backward_scratch_floats(exec_, shape));
    kernels::half_unit_backward(exec_, shape,
                                {.dy = dy.data<bfloat16>(),
                                 .y = y.data<bfloat16>(),
                                 .stats_gradient = stats_gradient(part),
                                 .x = unit.x.data<bfloat16>(),
                                 .norm = norm_input(unit.norm),
                                 .weight = unit.weight.data<bfloat16>(),
                                 .dp = data_or_null<bfloat16>(dp),
                                 .dy_whole = data_or_null<bfloat16>(gradients.dy_whole),
                                 .dx = gradients.dx.data<bfloat16>(),
                                 .accumulate = gradients.accumulate,
                                 .dweight = gradients.dweight.data<float>(),
                                 .dgamma = gradients.dgamma.data<float>(),
                                 .dbeta = gradients.dbeta.data<float>()},
                                sums.pointers);
}

bool CudaFusedOps::has_stem(const Conv2dParams& conv, DType dtype) {
    return dtype == DType::kBFloat16 && conv.in_channels == kernels::kStemInputs &&
           conv.out_channels == kernels::kStemOutputs && conv.kernel == 3 && conv.stride == 1 && pads_at_most_one(conv);
}

void CudaFusedOps::stem(const Conv2dParams& conv, const Tensor& x, const Tensor& weight, const Tensor& y,
                        const BatchStats& stats) {
    const Scratch sums = scratch(kernels::stem_scratch_floats(exec_, stem_shape(conv)));
    kernels::stem_forward(exec_, stem_shape(conv), x.data<bfloat16>(), weight.data<bfloat16>(), y.data<bfloat16>(),
                          data_or_null<float>(stats.mean), data_or_null<float>(stats.variance), sums.pointers);
}

void CudaFusedOps::stem_backward(const Conv2dParams& conv, const Tensor& x, const Tensor& y, const Tensor& dy,
                                 const StatsGradient* part, const Tensor& dweight) {
    const Scratch sums = scratch(kernels::stem_scratch_floats(exec_, stem_shape(conv)));
    kernels::stem_backward(exec_, stem_shape(conv), dy.data<bfloat16>(), y.data<bfloat16>(), stats_gradient(part),
                           x.data<bfloat16>(), dweight.data<float>(), sums.pointers);
}

bool CudaFusedOps::has_classifier(const Shape& x, const Shape& weight, DType dtype) {
    return dtype == DType::kBFloat16 && x.rank() == 4 && weight.rank() == 2 && weight[1] == x[3] &&
           kernels::classifier_supported(classifier_shape(x, weight[0]));
}

void CudaFusedOps::classifier(const NormParams& norm, const RunningUpdate& running, const Tensor& x,
                              const Tensor& weight, const Tensor& bias, const Tensor& pooled, const Tensor& logits) {
    kernels::classifier_forward(exec_, classifier_shape(x.shape(), weight.shape()[0]), x.data<bfloat16>(),
                                norm_input(norm), running_stats(running), weight.data<float>(), bias.data<float>(),
                                pooled.data<float>(), logits.data<float>());
}

void CudaFusedOps::classifier_backward(const NormParams& norm, const Tensor& x, const Tensor& pooled,
                                       const Tensor& weight, const Tensor& dlogits, const Tensor& dx,
                                       const Tensor& dgamma, const Tensor& dbeta, const Tensor& dweight,
                                       const Tensor& dbias) {
    const kernels::ClassifierShape shape = classifier_shape(x.shape(), weight.shape()[0]);
    const Scratch sums = scratch(kernels::classifier_backward_scratch_floats(exec_, shape));
    kernels::classifier_backward(exec_, shape, dlogits.data<float>(), x.data<bfloat16>(), norm_input(norm),
                                 pooled.data<float>(), weight.data<float>(), dx.data<bfloat16>(), dgamma.data<float>(),
                                 dbeta.data<float>(), dweight.data<float>(), dbias.data<float>(), sums.pointers);
}

}  // namespace engine::cuda
