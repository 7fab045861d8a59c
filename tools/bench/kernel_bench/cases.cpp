#include "tools/bench/kernel_bench/cases.h"

#include <fmt/format.h>

namespace residual::bench {

const std::vector<Family>& families() {
    const Layers& l = network_layers();
    static const std::vector<Family> table{
        {"gather_augment", l.image, gather_augment},
        {"relu", l.stages, relu},
        {"relu_dx", l.stages, relu_dx},
        {"add", l.stages, add},
        {"cast", l.stages, cast},
        {"avgpool_pad", l.narrowing, avgpool_pad},
        {"avgpool_pad_dx", l.narrowing, avgpool_pad_dx},
        {"subsample_pad", l.narrowing, subsample_pad},
        {"subsample_pad_dx", l.narrowing, subsample_pad_dx},
        {"batch_stats", l.stages, batch_stats},
        {"add_batch_stats", l.stages, add_batch_stats},
        {"own_batch_norm", l.stages, own_batch_norm},
        {"own_batch_norm_add", l.stages, own_batch_norm_add},
        {"own_batch_norm_sums", l.stages, own_batch_norm_sums},
        {"own_batch_norm_dx", l.stages, own_batch_norm_dx},
        {"update_running", l.vectors, update_running},
        {"batch_norm", l.stages, batch_norm},
        {"bn_training", l.stages, batch_norm_training},
        {"bn_training_dx", l.stages, batch_norm_training_dx},
        {"conv2d", l.convolutions, conv2d},
        {"conv2d_dx", l.inner_convolutions, conv2d_dx},
        {"conv2d_dw", l.convolutions, conv2d_dw},
        {"stem", l.stem, stem, stem_fused},
        {"stem_dw", l.stem, conv2d_dw, stem_dw_fused},
        {"bn_relu_conv", l.bn_relu_convs, bn_relu_conv, bn_relu_conv_fused},
        {"bn_relu_conv_dx", l.bn_relu_convs, bn_relu_conv_dx, bn_relu_conv_dx_fused},
        {"global_pool", l.head, global_pool},
        {"global_pool_dx", l.head, global_pool_dx},
        {"matmul", l.linear, matmul},
        {"matmul_dx", l.linear, matmul_dx},
        {"matmul_dw", l.linear, matmul_dw},
        {"add_bias", l.linear, add_bias},
        {"column_sum", l.linear, column_sum},
        {"softmax_loss", l.linear, softmax_loss},
        {"classifier", l.head, classifier, classifier_fused},
        {"classifier_dx", l.head, classifier_dx, classifier_dx_fused},
        {"sgd", l.networks, sgd},
    };
    return table;
}

std::string Case::name() const {
    return fmt::format("{}/{}/{}/{}/{}", family->name, layer->text(), batch_text(), dtype_text(), kernel());
}

std::vector<Case> all_cases(const std::vector<int>& batches, DType dtype) {
    std::vector<Case> cases;
    for (const Family& family : families()) {
        for (const Layer& layer : family.layers) {
            for (const int batch : layer.batched() ? batches : std::vector<int>{0}) {
                cases.push_back({&family, &layer, batch, dtype, false});
                if (family.fused != nullptr) cases.push_back({&family, &layer, batch, dtype, true});
            }
        }
    }
    return cases;
}

}  // namespace residual::bench
