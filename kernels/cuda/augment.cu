#include "kernels/augment.h"

#include "kernels/augment_body.h"
#include "kernels/cuda/grid.h"

namespace kernels {
namespace {

// A block per picture: one thread draws what happens to it, all of them fill its pixels.
template <class T>
__global__ void gather_augment_kernel(AugmentShape shape, const uint8_t* records, const float* mean,
                                      const int64_t* step, T* images, int32_t* labels) {
    Augmentation* how = dynamic_shared<Augmentation>();
    const int i = static_cast<int>(blockIdx.x);
    if (threadIdx.x == 0) {
        *how = augmentation(shape, *step, i);
        labels[i] = records[how->sample * kRecordBytes];
    }
    __syncthreads();
    const uint8_t* record = records + how->sample * kRecordBytes;
    T* image = images + int64_t{i} * kImageElements;
    for (int pixel = threadIdx.x; pixel < kImageSize * kImageSize; pixel += blockDim.x) {
        augmented_pixel(*how, shape.pad, record, mean, pixel / kImageSize, pixel % kImageSize,
                        image + pixel * kImageChannels);
    }
}

}  // namespace

template <class Exec, class T>
void gather_augment(const Exec& exec, const AugmentShape& shape, const uint8_t* records, const float* mean,
                    const int64_t* step, T* images, int32_t* labels) {
    launch(gather_augment_kernel<T>, static_cast<unsigned>(shape.batch), kBlockThreads, sizeof(Augmentation),
           exec.stream, shape, records, mean, step, images, labels);
}

template void gather_augment(const Cuda&, const AugmentShape&, const uint8_t*, const float*, const int64_t*, float*,
                             int32_t*);
template void gather_augment(const Cuda&, const AugmentShape&, const uint8_t*, const float*, const int64_t*, bfloat16*,
                             int32_t*);

}  // namespace kernels
