// Parameter-free shortcuts and the global average pool as plain loops in double precision.
#pragma once

#include "tests/support/array.h"

namespace test {

struct ReferenceShortcut {
    residual::ShortcutKind kind;
    int channels;

    bool averages() const { return kind == residual::ShortcutKind::kAveragePool; }
    Shape output_shape(const Shape& x) const {
        const int up = averages() ? 0 : 1;
        return {x[0], (x[1] + up) / 2, (x[2] + up) / 2, channels};
    }

    // Calls visit(index of y, index of x) for every element of x that y depends on.
    template <class Visit>
    void pairs(const Shape& x, Visit visit) const {
        const Shape y = output_shape(x);
        const int window = averages() ? 2 : 1;
        const int64_t before = (channels - x[3]) / 2;
        const auto index = [](const Shape& shape, int64_t n, int64_t row, int64_t column, int64_t c) {
            return ((n * shape[1] + row) * shape[2] + column) * shape[3] + c;
        };
        for (int64_t n = 0; n < y[0]; ++n)
            for (int64_t row = 0; row < y[1]; ++row)
                for (int64_t column = 0; column < y[2]; ++column)
                    for (int64_t c = 0; c < x[3]; ++c)
                        for (int i = 0; i < window; ++i)
                            for (int j = 0; j < window; ++j)
                                visit(index(y, n, row, column, before + c),
                                      index(x, n, 2 * row + i, 2 * column + j, c));
    }

    Array forward(const Array& x) const {
        Array y(output_shape(x.shape));
        const double share = averages() ? 0.25 : 1;
        pairs(x.shape, [&](int64_t to, int64_t from) { y.values[to] += share * x.values[from]; });
        return y;
    }
    Array backward(const Array& dy, const Shape& x) const {
        Array dx(x);
        const double share = averages() ? 0.25 : 1;
        pairs(x, [&](int64_t from, int64_t to) { dx.values[to] += share * dy.values[from]; });
        return dx;
    }
};

inline Array reference_global_average_pool(const Array& x) {
    const int64_t pixels = x.shape[1] * x.shape[2], channels = x.shape[3];
    Array y({x.shape[0], channels});
    for (int64_t i = 0; i < x.shape.elements(); ++i) {
        y.values[i / (pixels * channels) * channels + i % channels] += x.values[i] / pixels;
    }
    return y;
}

inline Array reference_global_average_pool_backward(const Array& dy, const Shape& x) {
    const int64_t pixels = x[1] * x[2], channels = x[3];
    Array dx(x);
    for (int64_t i = 0; i < x.elements(); ++i) {
        dx.values[i] = dy.values[i / (pixels * channels) * channels + i % channels] / pixels;
    }
    return dx;
}

}  // namespace test
