// Conversion between the channels-first order of files and the channels-last order of the engine.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/core/shape.h"

namespace residual {

// The shape in a file: [out, kh, kw, in] -> [out, in, kh, kw], [h, w, c] -> [c, h, w]; other ranks are unchanged.
inline Shape channels_first(const Shape& shape) {
    if (shape.rank() == 4) return {shape[0], shape[3], shape[1], shape[2]};
    if (shape.rank() == 3) return {shape[2], shape[0], shape[1]};
    return shape;
}

inline std::vector<int64_t> file_shape(const Shape& shape) {
    const Shape first = channels_first(shape);
    return {first.extents().begin(), first.extents().end()};
}

// Calls move(last, first) for each element with its index in channels-last and in channels-first order; `shape` is
// channels last.
template <class Move>
void for_each_channels_first(const Shape& shape, Move move) {
    const bool has_image = shape.rank() >= 3;
    const int64_t channels = has_image ? shape[-1] : 1;
    const int64_t pixels = has_image ? shape[-2] * shape[-3] : shape.elements();
    const int64_t outer = shape.rank() == 4 ? shape[0] : 1;
    for (int64_t o = 0; o < outer; ++o) {
        for (int64_t c = 0; c < channels; ++c) {
            for (int64_t p = 0; p < pixels; ++p) move((o * pixels + p) * channels + c, (o * channels + c) * pixels + p);
        }
    }
}

template <class T>
std::vector<T> to_channels_first(const std::vector<T>& values, const Shape& shape) {
    std::vector<T> moved(values.size());
    for_each_channels_first(shape, [&](int64_t last, int64_t first) { moved[first] = values[last]; });
    return moved;
}

template <class T>
std::vector<T> to_channels_last(const std::vector<T>& values, const Shape& shape) {
    std::vector<T> moved(values.size());
    for_each_channels_first(shape, [&](int64_t last, int64_t first) { moved[last] = values[first]; });
    return moved;
}

}  // namespace residual
