#include "kernels/pad.h"

#include <algorithm>
#include <cstdint>

#include "kernels/host/parallel.h"
#include "kernels/host/target.h"

namespace residual::kernels {
namespace {

int64_t elements(const PadShape& shape) {
    return int64_t{shape.batch} * shape.height * shape.width * shape.channels;
}

}  // namespace

template <class Exec, class T>
void spatial_pad(const Exec&, const PadShape& shape, const T* x, T* y) {
    const int out_height = shape.top + shape.height + shape.bottom;
    const int64_t line = int64_t{shape.width} * shape.channels;
    const int64_t left = int64_t{shape.left} * shape.channels, right = int64_t{shape.right} * shape.channels;
    const int64_t out_line = left + line + right;
#pragma omp parallel for schedule(static) collapse(2) if (elements(shape) > kParallelElements)
    for (int image = 0; image < shape.batch; ++image) {
        for (int row = 0; row < out_height; ++row) {
            T* target = y + (int64_t{image} * out_height + row) * out_line;
            const int source_row = row - shape.top;
            if (source_row < 0 || source_row >= shape.height) {
                std::fill_n(target, out_line, T{});
                continue;
            }
            std::fill_n(target, left, T{});
            std::copy_n(x + (int64_t{image} * shape.height + source_row) * line, line, target + left);
            std::fill_n(target + left + line, right, T{});
        }
    }
}

template <class Exec, class T>
void spatial_crop(const Exec&, const PadShape& shape, const T* y, T* x) {
    const int padded_height = shape.top + shape.height + shape.bottom;
    const int64_t line = int64_t{shape.width} * shape.channels;
    const int64_t padded_line = int64_t{shape.left + shape.width + shape.right} * shape.channels;
#pragma omp parallel for schedule(static) collapse(2) if (elements(shape) > kParallelElements)
    for (int image = 0; image < shape.batch; ++image) {
        for (int row = 0; row < shape.height; ++row) {
            const T* source = y + (int64_t{image} * padded_height + shape.top + row) * padded_line;
            std::copy_n(source + int64_t{shape.left} * shape.channels, line,
                        x + (int64_t{image} * shape.height + row) * line);
        }
    }
}

template void spatial_pad(const Target&, const PadShape&, const float*, float*);
template void spatial_pad(const Target&, const PadShape&, const bfloat16*, bfloat16*);
template void spatial_crop(const Target&, const PadShape&, const float*, float*);
template void spatial_crop(const Target&, const PadShape&, const bfloat16*, bfloat16*);

}  // namespace residual::kernels
