#include "kernels/augment.h"

#include "kernels/augment_body.h"
#include "kernels/host/target.h"

namespace residual::kernels {

template <class Exec, class T>
void gather_augment(const Exec&, const AugmentShape& shape, const uint8_t* records, const float* mean,
                    const int64_t* step, T* images, int32_t* labels) {
    const int64_t step_number = *step;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < shape.batch; ++i) {
        const Augmentation drawn = augmentation(shape, step_number, i);
        const uint8_t* record = records + drawn.sample * shape.record_bytes();
        T* image = images + int64_t{i} * shape.elements();
        labels[i] = record[0];
        for (int y = 0; y < shape.height; ++y) {
            for (int x = 0; x < shape.width; ++x, image += shape.channels) {
                const int source = source_pixel(shape, drawn, y, x);
                for (int c = 0; c < shape.channels; ++c) {
                    store(image[c], augmented_value(shape, record, mean, source, c));
                }
            }
        }
    }
}

template void gather_augment(const Target&, const AugmentShape&, const uint8_t*, const float*, const int64_t*, float*,
                             int32_t*);
template void gather_augment(const Target&, const AugmentShape&, const uint8_t*, const float*, const int64_t*,
                             bfloat16*, int32_t*);

}  // namespace residual::kernels
