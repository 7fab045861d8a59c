#include "engine/backend/cuda/fused.h"

#include <fmt/format.h>

#include "engine/backend/kernel_backend.h"

#include "kernels/classifier.h"
#include "kernels/stem.h"

namespace residual::cuda {

namespace {

kernels::BnReluConvShape bn_relu_conv_shape(const Conv2dParams& p) {
    return {p.batch,  p.height,  p.width,    p.in_channels,  p.out_channels,
            p.stride, p.pad_top, p.pad_left, p.out_height(), p.out_width()};
}

kernels::StemShape stem_shape(const Conv2dParams& p) {
    return {p.batch, p.height, p.width, p.pad_top, p.pad_left};
}

kernels::ClassifierShape classifier_shape(const Shape& x, int64_t classes) {
    return {static_cast<int>(x[0]), static_cast<int>(x[1] * x[2]), static_cast<int>(x[3]), static_cast<int>(classes)};
}

kernels::BatchNormInput batch_norm_input(const BatchNormParams& p) {
    return {p.stats.mean.data<float>(), p.stats.variance.data<float>(), p.gamma.data<float>(), p.beta.data<float>(),
            p.epsilon};
}

kernels::RunningStats running_stats(const RunningUpdate& update) {
    if (!update.running.mean.defined()) return {};
    return {update.running.mean.data<float>(), update.running.variance.data<float>(), update.decay};
}

kernels::MomentsGradient moments_gradient(const MomentsGradient& m) {
    return {data_or_null<float>(m.mean), data_or_null<float>(m.dmean), data_or_null<float>(m.dvariance)};
}

kernels::BatchNormGradients batch_norm_gradients(const BatchNormGradients& g) {
    return {g.dgamma.data<float>(), g.dbeta.data<float>(), data_or_null<float>(g.dmean),
            data_or_null<float>(g.dvariance)};
}

kernels::ResidualKind residual_kind(const BnReluConv& unit) {
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

std::string CudaFusedOps::limits() const {
    std::string shapes;
    for (const int in : {16, 32, 64}) {
        for (const int out : {in, 2 * in}) {
            for (const int stride : {1, 2}) {
                const kernels::BnReluConvShape shape{128, 16, 16, in, out, stride, 1, 1, 16 / stride, 16 / stride};
                if (!kernels::bn_relu_conv_supported(shape)) continue;
                const size_t need = kernels::bn_relu_conv_shared_bytes(shape);
                if (need <= shared_bytes_) continue;
                shapes += fmt::format("{}{} to {} channels with stride {} (needs {})", shapes.empty() ? "" : ", ", in,
                                      out, stride, need);
            }
        }
    }
    if (shapes.empty()) return "";
    return fmt::format("not fused, because a block has only {} bytes of shared memory: {}", shared_bytes_, shapes);
}

bool CudaFusedOps::has_bn_relu_conv(const Conv2dParams& conv, DType dtype) {
    const kernels::BnReluConvShape shape = bn_relu_conv_shape(conv);
    if (dtype != DType::kBFloat16 || conv.kernel != 3 || !pads_at_most_one(conv)) return false;
    if (!kernels::bn_relu_conv_supported(shape)) return false;
    return kernels::bn_relu_conv_shared_bytes(shape) <= shared_bytes_;
}

void CudaFusedOps::bn_relu_conv(const BnReluConv& unit, const RunningUpdate& running, const BnReluConvResult& result) {
    const kernels::BnReluConvShape shape = bn_relu_conv_shape(unit.conv);
    const Scratch sums = scratch(kernels::bn_relu_conv_forward_scratch_floats(exec_, shape));
    kernels::bn_relu_conv_forward(exec_, shape,
                                  {.x = unit.x.data<bfloat16>(),
                                   .batch_norm = batch_norm_input(unit.batch_norm),
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

void CudaFusedOps::bn_relu_conv_backward(const BnReluConv& unit, const Tensor& y, const Tensor& dy,
                                         const MomentsGradient& moments, const Tensor& dp,
                                         const BnReluConvGradients& gradients) {
    const kernels::BnReluConvShape shape = bn_relu_conv_shape(unit.conv);
    const Scratch sums = scratch(kernels::bn_relu_conv_backward_scratch_floats(exec_, shape));
    kernels::bn_relu_conv_backward(exec_, shape,
                                   {.dy = dy.data<bfloat16>(),
                                    .y = y.data<bfloat16>(),
                                    .moments = moments_gradient(moments),
                                    .x = unit.x.data<bfloat16>(),
                                    .batch_norm = batch_norm_input(unit.batch_norm),
                                    .weight = unit.weight.data<bfloat16>(),
                                    .dp = data_or_null<bfloat16>(dp),
                                    .dy_whole = data_or_null<bfloat16>(gradients.dy_whole),
                                    .dx = gradients.dx.data<bfloat16>(),
                                    .accumulate = gradients.accumulate,
                                    .dweight = gradients.dweight.data<float>(),
                                    .batch_norm_gradients = batch_norm_gradients(gradients.batch_norm)},
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
                                 const MomentsGradient& moments, const Tensor& dweight) {
    const Scratch sums = scratch(kernels::stem_scratch_floats(exec_, stem_shape(conv)));
    kernels::stem_backward(exec_, stem_shape(conv), dy.data<bfloat16>(), y.data<bfloat16>(), moments_gradient(moments),
                           x.data<bfloat16>(), dweight.data<float>(), sums.pointers);
}

bool CudaFusedOps::has_classifier(const Shape& x, const Shape& weight, DType dtype) {
    return dtype == DType::kBFloat16 && x.rank() == 4 && weight.rank() == 2 && weight[1] == x[3] &&
           kernels::classifier_supported(classifier_shape(x, weight[0]));
}

void CudaFusedOps::classifier(const BatchNormParams& batch_norm, const RunningUpdate& running, const Tensor& x,
                              const Tensor& weight, const Tensor& bias, const Tensor& pooled, const Tensor& logits) {
    kernels::classifier_forward(exec_, classifier_shape(x.shape(), weight.shape()[0]), x.data<bfloat16>(),
                                batch_norm_input(batch_norm), running_stats(running), weight.data<float>(),
                                bias.data<float>(), pooled.data<float>(), logits.data<float>());
}

void CudaFusedOps::classifier_backward(const BatchNormParams& batch_norm, const Tensor& x, const Tensor& pooled,
                                       const Tensor& weight, const Tensor& dlogits, const Tensor& dx,
                                       const BatchNormGradients& gradients, const Tensor& dweight,
                                       const Tensor& dbias) {
    const kernels::ClassifierShape shape = classifier_shape(x.shape(), weight.shape()[0]);
    const Scratch sums = scratch(kernels::classifier_backward_scratch_floats(exec_, shape));
    kernels::classifier_backward(exec_, shape,
                                 {.dlogits = dlogits.data<float>(),
                                  .x = x.data<bfloat16>(),
                                  .batch_norm = batch_norm_input(batch_norm),
                                  .pooled = pooled.data<float>(),
                                  .weight = weight.data<float>(),
                                  .dx = dx.data<bfloat16>(),
                                  .batch_norm_gradients = batch_norm_gradients(gradients),
                                  .dweight = dweight.data<float>(),
                                  .dbias = dbias.data<float>()},
                                 sums.pointers);
}

}  // namespace residual::cuda
