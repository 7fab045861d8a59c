#include "kernels/loss.h"

#include "kernels/cuda/block_reduce.h"
#include "kernels/cuda/grid.h"
#include "kernels/loss_body.h"

namespace residual::kernels {
namespace {

struct LossSum {
    double loss;
    int32_t correct;

    __device__ LossSum operator+(const LossSum& other) const { return {loss + other.loss, correct + other.correct}; }
};

// A single block, because a batch of logits is only a few kilobytes; one thread per row.
__global__ void softmax_cross_entropy_kernel(int batch, int classes, const float* logits, const int32_t* labels,
                                             float* loss, float* dlogits, int32_t* correct, Metrics* totals) {
    const float share = 1.0f / static_cast<float>(batch);
    LossSum sum{0.0, 0};
    for (int row = threadIdx.x; row < batch; row += blockDim.x) {
        const int64_t offset = int64_t{row} * classes;
        float* gradient = dlogits == nullptr ? nullptr : dlogits + offset;
        const RowLoss result = softmax_cross_entropy_row(classes, logits + offset, labels[row], share, gradient);
        sum.loss += result.loss;
        sum.correct += result.correct ? 1 : 0;
    }
    sum = block_reduce(sum, Plus{});
    if (threadIdx.x == 0) finish_loss(sum.loss, sum.correct, batch, loss, correct, totals);
}

}  // namespace

template <class Exec>
void softmax_cross_entropy(const Exec& exec, int batch, int classes, const float* logits, const int32_t* labels,
                           float* loss, float* dlogits, int32_t* correct, Metrics* totals) {
    launch(softmax_cross_entropy_kernel, 1, kBlockThreads, kBlockThreads * sizeof(LossSum), exec.stream, batch, classes,
           logits, labels, loss, dlogits, correct, totals);
}

template void softmax_cross_entropy(const Cuda&, int, int, const float*, const int32_t*, float*, float*, int32_t*,
                                    Metrics*);

}  // namespace residual::kernels
