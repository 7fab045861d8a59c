#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/batch_norm.h"
#include "kernels/batch_norm_body.h"

namespace residual::kernels {
namespace {  // see target.h

// A [rows, channels] tensor viewed as lines of up to 256 elements, so that the inner loop is long enough to vectorise
// even with few channels. Up to 256 channels: a line is one or more rows, and per-channel values are repeated along it.
// More than 256: a line is a slice of the channels of one row, and the slices are processed one after the other.
constexpr int kLineElements = 256;

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

ChannelLines channel_lines(const BatchNormShape& shape, int first_channel) {
    if (shape.channels > kLineElements) {
        const int channels = std::min(kLineElements, shape.channels - first_channel);
        return {first_channel, channels, 1, shape.rows, shape.channels, channels};
    }
    const int copies = kLineElements / shape.channels;
    const int64_t count = (shape.rows + copies - 1) / copies;
    const int64_t last_rows = shape.rows - (count - 1) * copies;
    return {0, shape.channels, copies, count, int64_t{copies} * shape.channels, last_rows * shape.channels};
}

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

    // Adds up the copies of every channel into the first.
    void fold(const ChannelLines& lines) {
        for (int copy = 1; copy < lines.copies; ++copy) {
            const float* source = v + copy * lines.channels;
#pragma omp simd
            for (int c = 0; c < lines.channels; ++c) v[c] += source[c];
        }
    }
};

// The normalisation of the slice's channels, repeated along a line.
struct BatchNormLine {
    Line mean, scale, beta;

    BatchNormLine(const ChannelLines& lines, const float* means, const float* variances, const float* gammas,
                  const float* betas, float epsilon) {
        const int first = lines.first_channel;
        mean.spread(lines, [&](int c) { return means[first + c]; });
        scale.spread(lines, [&](int c) { return gammas[first + c] * reciprocal_std(variances[first + c], epsilon); });
        beta.spread(lines, [&](int c) { return betas[first + c]; });
    }
};

}  // namespace
}  // namespace residual::kernels
