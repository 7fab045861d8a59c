#include "tools/kernel_bench/cases.h"

#include <fmt/format.h>

namespace bench {

const std::vector<Family>& families() {
    static const std::vector<Family> table{
        {"gather_augment", kPicture, gather_augment},
        {"relu", kStages, relu},
        {"relu_dx", kStages, relu_dx},
        {"add", kStages, add},
        {"cast", kStages, cast},
        {"pad", kNarrowing, pad},
        {"crop", kNarrowing, crop},
        {"avgpool_pad", kNarrowing, avgpool_pad},
        {"avgpool_pad_dx", kNarrowing, avgpool_pad_dx},
        {"subsample_pad", kNarrowing, subsample_pad},
        {"subsample_pad_dx", kNarrowing, subsample_pad_dx},
        {"batch_stats", kStages, batch_stats},
        {"add_batch_stats", kStages, add_batch_stats},
        {"norm", kStages, norm},
        {"norm_add", kStages, norm_add},
        {"norm_sums", kStages, norm_sums},
        {"norm_dx", kStages, norm_dx},
        {"update_running", kVectors, update_running},
        {"batch_norm", kStages, batch_norm},
        {"batch_norm_dx", kStages, batch_norm_dx},
        {"conv2d", kConvolutions, conv2d},
        {"conv2d_dx", kInnerConvolutions, conv2d_dx},
        {"conv2d_dw", kConvolutions, conv2d_dw},
        {"stem", kStem, stem, stem_fused},
        {"stem_dw", kStem, stem_dw, stem_dw_fused},
        {"half_unit", kHalfUnits, half_unit, half_unit_fused},
        {"half_unit_dx", kHalfUnits, half_unit_dx, half_unit_dx_fused},
        {"global_pool", kHead, global_pool},
        {"global_pool_dx", kHead, global_pool_dx},
        {"matmul", kLinear, matmul},
        {"matmul_dx", kLinear, matmul_dx},
        {"matmul_dw", kLinear, matmul_dw},
        {"add_bias", kLinear, add_bias},
        {"column_sum", kLinear, column_sum},
        {"softmax_loss", kLinear, softmax_loss},
        {"classifier", kHead, classifier, classifier_fused},
        {"classifier_dx", kHead, classifier_dx, classifier_dx_fused},
        {"sgd", kNetworks, sgd},
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

}  // namespace bench
