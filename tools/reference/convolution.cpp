#include "tools/reference/convolution.h"

#include <cstdint>

namespace residual::reference {

namespace {

// target [columns] += row [rows] * matrix [rows, columns]
void add_product(const double* row, size_t rows, const double* matrix, size_t columns, double* target) {
    for (size_t r = 0; r < rows; ++r) {
        for (size_t c = 0; c < columns; ++c) target[c] += row[r] * matrix[r * columns + c];
    }
}

// Calls visit(pixel of x, pixel of y) for each pair of pixels of image n that element `tap` of the kernel connects.
template <class Visit>
void for_each_pair(const ConvShape& s, int n, size_t tap, Visit visit) {
    const int tap_row = static_cast<int>(tap) / s.kernel, tap_column = static_cast<int>(tap) % s.kernel;
    for (int row = 0; row < s.out_height; ++row) {
        const int from_row = row * s.stride + tap_row - s.pad_top;
        if (from_row < 0 || from_row >= s.height) continue;
        for (int column = 0; column < s.out_width; ++column) {
            const int from_column = column * s.stride + tap_column - s.pad_left;
            if (from_column < 0 || from_column >= s.width) continue;
            visit((static_cast<size_t>(n) * s.height + from_row) * s.width + from_column,
                  (static_cast<size_t>(n) * s.out_height + row) * s.out_width + column);
        }
    }
}

// Calls visit(pixel of x, pixel of y, tap) for every image, in parallel, and every tap.
template <class Visit>
void for_each_tap(const ConvShape& s, Visit visit) {
#pragma omp parallel for
    for (int n = 0; n < s.batch; ++n) {
        for (size_t tap = 0; tap < s.taps(); ++tap) {
            for_each_pair(s, n, tap, [&](size_t at_x, size_t at_y) { visit(at_x, at_y, tap); });
        }
    }
}

// [out, taps, in] -> [taps, in, out]
Values outputs_last(const ConvShape& s, const Values& weight) {
    const size_t inner = s.taps() * s.in_channels, out = s.out_channels;
    Values moved(weight.size());
    for (size_t o = 0; o < out; ++o)
        for (size_t i = 0; i < inner; ++i) moved[i * out + o] = weight[o * inner + i];
    return moved;
}

// [out, taps, in] -> [taps, out, in]
Values taps_first(const ConvShape& s, const Values& weight) {
    const size_t in = s.in_channels, out = s.out_channels;
    Values moved(weight.size());
    for (size_t o = 0; o < out; ++o)
        for (size_t tap = 0; tap < s.taps(); ++tap)
            for (size_t i = 0; i < in; ++i) moved[(tap * out + o) * in + i] = weight[(o * s.taps() + tap) * in + i];
    return moved;
}

}  // namespace

Values conv(const ConvShape& s, const Values& x, const Values& weight) {
    const size_t in = s.in_channels, out = s.out_channels;
    const Values w = outputs_last(s, weight);
    Values y(s.y_elements());
    for_each_tap(s, [&](size_t at_x, size_t at_y, size_t tap) {
        add_product(&x[at_x * in], in, &w[tap * in * out], out, &y[at_y * out]);
    });
    return y;
}

Values conv_dx(const ConvShape& s, const Values& dy, const Values& weight) {
    const size_t in = s.in_channels, out = s.out_channels;
    const Values w = taps_first(s, weight);
    Values dx(s.x_elements());
    for_each_tap(s, [&](size_t at_x, size_t at_y, size_t tap) {
        add_product(&dy[at_y * out], out, &w[tap * in * out], in, &dx[at_x * in]);
    });
    return dx;
}

Values conv_dweight(const ConvShape& s, const Values& x, const Values& dy) {
    const size_t in = s.in_channels, out = s.out_channels;
    Values dw(s.weight_elements());
    for (size_t tap = 0; tap < s.taps(); ++tap) {
        Values sums(in * out);
        for (int n = 0; n < s.batch; ++n) {
            for_each_pair(s, n, tap, [&](size_t at_x, size_t at_y) {
                for (size_t i = 0; i < in; ++i)
                    for (size_t o = 0; o < out; ++o) sums[i * out + o] += x[at_x * in + i] * dy[at_y * out + o];
            });
        }
        for (size_t i = 0; i < in; ++i)
            for (size_t o = 0; o < out; ++o) dw[(o * s.taps() + tap) * in + i] = sums[i * out + o];
    }
    return dw;
}

}  // namespace residual::reference
