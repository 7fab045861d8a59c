#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/batch_norm.h"

namespace residual::kernels {

// A [rows, channels] tensor seen as lines of up to 256 elements, so that the inner loop is long and vectorises however
// few channels there are. Few channels: several rows make one line, and per-channel values are repeated along it. More
// than 256: a slice of the channels of one row is a line, and the slices are visited one after the other.
inline constexpr int kLineElements = 256;

struct ChannelLines {
    int first_channel;
    int channels;        // of this slice
    int copies;          // rows of the tensor per line
    int64_t count;       // lines
    int64_t stride;      // elements from one line to the next
    int64_t last_width;  // elements of the last line, a multiple of channels

    int width(int64_t line) const { return line + 1 < count ? channels * copies : static_cast<int>(last_width); }
    int64_t offset(int64_t line) const { return first_channel + line * stride; }
    // Rows of the tensor in the lines [begin, end).
    int64_t rows(int64_t begin, int64_t end) const {
        if (begin >= end) return 0;
        return (end - begin - 1) * copies + width(end - 1) / channels;
    }
};

inline ChannelLines channel_lines(const BatchNormShape& shape, int first_channel) {
    if (shape.channels > kLineElements) {
        const int channels = std::min(kLineElements, shape.channels - first_channel);
        return {first_channel, channels, 1, shape.rows, shape.channels, channels};
    }
    const int copies = kLineElements / shape.channels;
    const int64_t count = (shape.rows + copies - 1) / copies;
    const int64_t last_rows = shape.rows - (count - 1) * copies;
    return {0, shape.channels, copies, count, int64_t{copies} * shape.channels, last_rows * shape.channels};
}

// Calls body(lines) for every slice of the channels.
template <class Body>
void for_each_slice(const BatchNormShape& shape, Body body) {
    for (int first = 0; first < shape.channels; first += kLineElements) body(channel_lines(shape, first));
}

// One float per element of a line.
struct alignas(64) Line {
    float v[kLineElements];

    // Repeats the values of the slice's channels along the line.
    template <class Value>
    void spread(const ChannelLines& lines, Value value) {
        for (int c = 0; c < lines.channels; ++c) v[c] = value(c);
        for (int i = lines.channels; i < lines.channels * lines.copies; ++i) v[i] = v[i - lines.channels];
    }

    void clear() { std::fill_n(v, kLineElements, 0.0f); }

    // Adds the copies of every channel up, into the first.
    void fold(const ChannelLines& lines) {
        for (int copy = 1; copy < lines.copies; ++copy) {
            const float* source = v + copy * lines.channels;
#pragma omp simd
            for (int c = 0; c < lines.channels; ++c) v[c] += source[c];
        }
    }
};

}  // namespace residual::kernels
