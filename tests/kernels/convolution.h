// A 3x3 convolution in double precision, NHWC, weights [out, 3, 3, in], zeros outside the picture.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/half_unit.h"

// Zeros before and after as TensorFlow's "same" has them, or one on each side as far as the output needs it.
enum class Padding { kSame, kSymmetric };

inline void pad_axis(Padding padding, int size, int stride, int& before, int& out_size) {
    if (padding == Padding::kSymmetric) {
        before = 1;
        out_size = (size + 2 - 3) / stride + 1;
    } else {
        out_size = (size + stride - 1) / stride;
        const int total = (out_size - 1) * stride + 3 - size;
        before = total > 0 ? total / 2 : 0;
    }
}

inline kernels::HalfUnitShape half_unit_shape(int batch, int height, int width, int in_channels, int out_channels,
                                              int stride, Padding padding) {
    kernels::HalfUnitShape s{batch, height, width, in_channels, out_channels, stride, 0, 0, 0, 0};
    pad_axis(padding, height, stride, s.pad_top, s.out_height);
    pad_axis(padding, width, stride, s.pad_left, s.out_width);
    return s;
}

inline size_t input_size(const kernels::HalfUnitShape& s) {
    return static_cast<size_t>(s.batch) * s.height * s.width * s.in_channels;
}
inline size_t output_size(const kernels::HalfUnitShape& s) {
    return static_cast<size_t>(s.batch) * s.out_height * s.out_width * s.out_channels;
}
inline size_t weight_size(const kernels::HalfUnitShape& s) {
    return size_t{9} * s.in_channels * s.out_channels;
}

// visit(first element of a pixel of x, first element of a pixel of y, tap) for each pair that the convolution joins.
template <class Visit>
void visit_taps(const kernels::HalfUnitShape& s, Visit visit) {
    for (int n = 0; n < s.batch; ++n)
        for (int out_row = 0; out_row < s.out_height; ++out_row)
            for (int out_column = 0; out_column < s.out_width; ++out_column)
                for (int tap = 0; tap < 9; ++tap) {
                    const int row = out_row * s.stride - s.pad_top + tap / 3;
                    const int column = out_column * s.stride - s.pad_left + tap % 3;
                    if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
                    const size_t from = (static_cast<size_t>(n) * s.height + row) * s.width + column;
                    const size_t to = (static_cast<size_t>(n) * s.out_height + out_row) * s.out_width + out_column;
                    visit(from * s.in_channels, to * s.out_channels, tap);
                }
}

inline std::vector<double> convolution(const kernels::HalfUnitShape& s, const std::vector<double>& x,
                                       const std::vector<double>& weight) {
    std::vector<double> y(output_size(s), 0.0);
    visit_taps(s, [&](size_t from, size_t to, int tap) {
        for (int out = 0; out < s.out_channels; ++out) {
            const double* w = &weight[(static_cast<size_t>(out) * 9 + tap) * s.in_channels];
            double sum = 0.0;
            for (int in = 0; in < s.in_channels; ++in) sum += x[from + in] * w[in];
            y[to + out] += sum;
        }
    });
    return y;
}

// dweight [out, 3, 3, in] from the gradient of y.
inline std::vector<double> convolution_weight_gradient(const kernels::HalfUnitShape& s, const std::vector<double>& x,
                                                       const std::vector<double>& dy) {
    std::vector<double> dweight(weight_size(s), 0.0);
    visit_taps(s, [&](size_t from, size_t to, int tap) {
        for (int out = 0; out < s.out_channels; ++out) {
            double* dw = &dweight[(static_cast<size_t>(out) * 9 + tap) * s.in_channels];
            for (int in = 0; in < s.in_channels; ++in) dw[in] += dy[to + out] * x[from + in];
        }
    });
    return dweight;
}
