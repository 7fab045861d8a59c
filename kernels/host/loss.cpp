#include "kernels/loss.h"

#include "kernels/host/target.h"
#include "kernels/loss_body.h"

namespace residual::kernels {

template <class Exec>
void softmax_cross_entropy(const Exec&, int batch, int classes, const float* logits, const int32_t* labels, float* loss,
                           float* dlogits, int32_t* correct, Metrics* totals) {
    const float share = 1.0f / static_cast<float>(batch);
    double loss_sum = 0.0;
    int32_t correct_sum = 0;
    for (int row = 0; row < batch; ++row) {
        const int64_t offset = int64_t{row} * classes;
        float* gradient = dlogits == nullptr ? nullptr : dlogits + offset;
        const RowLoss result = softmax_cross_entropy_row(classes, logits + offset, labels[row], share, gradient);
        loss_sum += result.loss;
        correct_sum += result.correct ? 1 : 0;
    }
    finish_loss(loss_sum, correct_sum, batch, loss, correct, totals);
}

template void softmax_cross_entropy(const Target&, int, int, const float*, const int32_t*, float*, float*, int32_t*,
                                    Metrics*);

}  // namespace residual::kernels
