// The cases: every family of kernels at the shapes of the networks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/kernel_bench/layers.h"
#include "tools/bench/kernel_bench/operands.h"

namespace residual::bench {

// One operation: from operands to a trial of it.
using Maker = Trial (*)(Operands& operands, const Layer& layer);

struct Family {
    std::string_view name;
    const std::vector<Layer>& layers;
    Maker composed;         // From the operations that every backend has; one of them, or a sequence.
    Maker fused = nullptr;  // The same work by Backend::fused(), where there is one.
};

const std::vector<Family>& families();

struct Case {
    const Family* family;
    const Layer* layer;
    int batch;  // 0 where the work does not depend on it.
    DType dtype;
    bool fused;

    std::string batch_text() const { return batch == 0 ? "-" : std::to_string(batch); }
    std::string_view kernel() const { return fused ? "fused" : "composed"; }
    std::string_view dtype_text() const { return dtype == DType::kBFloat16 ? "bf16" : "f32"; }
    // "bn_relu_conv/16x32x32+x/128/bf16/fused": what --filter searches.
    std::string name() const;
};

// All of them, in the order of the table.
std::vector<Case> all_cases(const std::vector<int>& batches, DType dtype);

// Fused work whose shape the device's fused operations don't know: the case is skipped.
class NotOffered : public Error {
  public:
    using Error::Error;
};

// Of one family each; see the table in cases.cpp.
Trial relu(Operands& o, const Layer& layer);
Trial relu_dx(Operands& o, const Layer& layer);
Trial add(Operands& o, const Layer& layer);
Trial cast(Operands& o, const Layer& layer);
Trial pad(Operands& o, const Layer& layer);
Trial crop(Operands& o, const Layer& layer);
Trial avgpool_pad(Operands& o, const Layer& layer);
Trial avgpool_pad_dx(Operands& o, const Layer& layer);
Trial subsample_pad(Operands& o, const Layer& layer);
Trial subsample_pad_dx(Operands& o, const Layer& layer);
Trial batch_stats(Operands& o, const Layer& layer);
Trial add_batch_stats(Operands& o, const Layer& layer);
Trial own_batch_norm(Operands& o, const Layer& layer);
Trial own_batch_norm_add(Operands& o, const Layer& layer);
Trial own_batch_norm_sums(Operands& o, const Layer& layer);
Trial own_batch_norm_dx(Operands& o, const Layer& layer);
Trial update_running(Operands& o, const Layer& layer);
Trial batch_norm(Operands& o, const Layer& layer);
Trial batch_norm_dx(Operands& o, const Layer& layer);
Trial conv2d(Operands& o, const Layer& layer);
Trial conv2d_dx(Operands& o, const Layer& layer);
Trial conv2d_dw(Operands& o, const Layer& layer);
Trial stem(Operands& o, const Layer& layer);
Trial stem_fused(Operands& o, const Layer& layer);
Trial stem_dw(Operands& o, const Layer& layer);
Trial stem_dw_fused(Operands& o, const Layer& layer);
Trial bn_relu_conv(Operands& o, const Layer& layer);
Trial bn_relu_conv_fused(Operands& o, const Layer& layer);
Trial bn_relu_conv_dx(Operands& o, const Layer& layer);
Trial bn_relu_conv_dx_fused(Operands& o, const Layer& layer);
Trial global_pool(Operands& o, const Layer& layer);
Trial global_pool_dx(Operands& o, const Layer& layer);
Trial matmul(Operands& o, const Layer& layer);
Trial matmul_dx(Operands& o, const Layer& layer);
Trial matmul_dw(Operands& o, const Layer& layer);
Trial add_bias(Operands& o, const Layer& layer);
Trial column_sum(Operands& o, const Layer& layer);
Trial softmax_loss(Operands& o, const Layer& layer);
Trial classifier(Operands& o, const Layer& layer);
Trial classifier_fused(Operands& o, const Layer& layer);
Trial classifier_dx(Operands& o, const Layer& layer);
Trial classifier_dx_fused(Operands& o, const Layer& layer);
Trial gather_augment(Operands& o, const Layer& layer);
Trial sgd(Operands& o, const Layer& layer);

}  // namespace residual::bench
