#include "kernels/augment.h"

#include <algorithm>

#include "kernels/augment_body.h"
#include "kernels/cuda/launch.h"

namespace residual::kernels {
namespace {

constexpr int kElementsPerThread = 4;
constexpr int kWarp = 32;
constexpr int kMaxBlockThreads = 1024;

// Whole warps, enough to cover an image with kElementsPerThread elements per thread if the block limit allows.
unsigned image_threads(const AugmentShape& shape) {
    const int per_pass = kWarp * kElementsPerThread;
    return static_cast<unsigned>(std::min((shape.elements() - 1) / per_pass * kWarp + kWarp, kMaxBlockThreads));
}

// One block per image: one thread draws the augmentation, then adjacent threads write adjacent elements, so that a warp
// writes contiguous memory and reads contiguous memory from each plane.
template <class T>
__global__ void gather_augment_kernel(AugmentShape shape, const uint8_t* records, const float* mean,
                                      const int64_t* step, T* images, int32_t* labels) {
    Augmentation* shared = dynamic_shared<Augmentation>();
    const int i = static_cast<int>(blockIdx.x);
    if (threadIdx.x == 0) {
        *shared = augmentation(shape, *step, i);
        labels[i] = records[shared->sample * shape.record_bytes()];
    }
    __syncthreads();
    const Augmentation drawn = *shared;
    const uint8_t* record = records + drawn.sample * shape.record_bytes();
    T* image = images + int64_t{i} * shape.elements();
    const int elements = shape.elements();
#pragma unroll kElementsPerThread
    for (int element = static_cast<int>(threadIdx.x); element < elements; element += static_cast<int>(blockDim.x)) {
        const int pixel = element / shape.channels;
        const int source = source_pixel(shape, drawn, pixel / shape.width, pixel % shape.width);
        store(image[element], augmented_value(shape, record, mean, source, element % shape.channels));
    }
}

}  // namespace

template <class Exec, class T>
void gather_augment(const Exec& exec, const AugmentShape& shape, const uint8_t* records, const float* mean,
                    const int64_t* step, T* images, int32_t* labels) {
    launch(gather_augment_kernel<T>, static_cast<unsigned>(shape.batch), image_threads(shape), sizeof(Augmentation),
           exec.stream, shape, records, mean, step, images, labels);
}

template void gather_augment(const Cuda&, const AugmentShape&, const uint8_t*, const float*, const int64_t*, float*,
                             int32_t*);
template void gather_augment(const Cuda&, const AugmentShape&, const uint8_t*, const float*, const int64_t*, bfloat16*,
                             int32_t*);

}  // namespace residual::kernels
