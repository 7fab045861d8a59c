// The cases: every family of kernels at the shapes of the networks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/kernel_bench/layers.h"
#include "tools/bench/kernel_bench/operands.h"

namespace residual::bench {

// Prepares the operands of one operation.
using Maker = Trial(Operands& o, const Layer& layer);

struct Family {
    std::string_view name;
    const std::vector<Layer>& layers;
    Maker* composed;         // One or several of the operations that every backend has.
    Maker* fused = nullptr;  // The same work by Backend::fused(), if it offers it.
};

const std::vector<Family>& families();

struct Case {
    const Family* family;
    const Layer* layer;
    int batch;  // 0 if the work does not depend on it.
    DType dtype;
    bool fused;

    std::string batch_text() const { return batch == 0 ? "-" : std::to_string(batch); }
    std::string_view kernel() const { return fused ? "fused" : "composed"; }
    std::string_view dtype_text() const { return dtype == DType::kBFloat16 ? "bf16" : "f32"; }
    // "bn_relu_conv/16x32x32+x/128/bf16/fused": the text that --filter searches.
    std::string name() const;
};

std::vector<Case> all_cases(const std::vector<int>& batches, DType dtype);

// The device has no fused kernel for a shape: the case is skipped.
class NotOffered : public Error {
  public:
    using Error::Error;
};

// The fused operations of the backend. Throws NotOffered if it has none, or not `has(operations)`.
template <class Has>
FusedOps& fused_ops(Backend& backend, Has has) {
    FusedOps* fused = backend.fused();
    if (fused == nullptr) throw NotOffered("this device has no fused operations");
    if (!has(*fused)) throw NotOffered("no fused kernel for this shape");
    return *fused;
}

Maker gather_augment, sgd;
Maker relu, relu_dx, add, cast, avgpool_pad, avgpool_pad_dx, subsample_pad, subsample_pad_dx;
Maker batch_stats, add_batch_stats, update_running, batch_norm, batch_norm_training, batch_norm_training_dx;
Maker own_batch_norm, own_batch_norm_add, own_batch_norm_sums, own_batch_norm_dx;
Maker conv2d, conv2d_dx, conv2d_dw, stem, stem_fused, stem_dw_fused;
Maker bn_relu_conv, bn_relu_conv_fused, bn_relu_conv_dx, bn_relu_conv_dx_fused;
Maker global_pool, global_pool_dx, matmul, matmul_dx, matmul_dw, add_bias, column_sum, softmax_loss;
Maker classifier, classifier_fused, classifier_dx, classifier_dx_fused;

}  // namespace residual::bench
