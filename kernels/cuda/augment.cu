#include "kernels/augment.h"

#include "kernels/augment_body.h"
#include "kernels/cuda/launch.h"

namespace kernels {
namespace {

constexpr int kElementsPerThread = 4;
constexpr int kPictureThreads = kImageElements / kElementsPerThread;

// A block per picture: one thread draws what happens to it, then neighbours fill neighbouring elements, so that a warp
// writes one run of memory and reads one of each plane.
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
    const Augmentation drawn = *how;
    const uint8_t* record = records + drawn.sample * kRecordBytes;
    T* image = images + int64_t{i} * kImageElements;
#pragma unroll
    for (int k = 0; k < kElementsPerThread; ++k) {
        const int element = k * kPictureThreads + static_cast<int>(threadIdx.x);
        const int pixel = element / kImageChannels;
        const int source = source_pixel(drawn, shape.pad, pixel / kImageSize, pixel % kImageSize);
        store(image[element], augmented_value(record, mean, source, element % kImageChannels));
    }
}

}  // namespace

template <class Exec, class T>
void gather_augment(const Exec& exec, const AugmentShape& shape, const uint8_t* records, const float* mean,
                    const int64_t* step, T* images, int32_t* labels) {
    launch(gather_augment_kernel<T>, static_cast<unsigned>(shape.batch), kPictureThreads, sizeof(Augmentation),
           exec.stream, shape, records, mean, step, images, labels);
}

template void gather_augment(const Cuda&, const AugmentShape&, const uint8_t*, const float*, const int64_t*, float*,
                             int32_t*);
template void gather_augment(const Cuda&, const AugmentShape&, const uint8_t*, const float*, const int64_t*, bfloat16*,
                             int32_t*);

}  // namespace kernels
