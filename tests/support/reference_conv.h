// Convolution and its gradients as plain loops in double precision.
#pragma once

#include <algorithm>

#include "tests/support/array.h"

namespace test {

struct ReferenceConv {
    int stride;
    bool same;  // TensorFlow's padding; else (kernel - 1) / 2 on every side.

    // Zeros before the first row (or column). TensorFlow's rule as its documentation words it: for an even size and
    // stride 2 it is less than on the other side.
    int64_t before(int64_t size, int64_t kernel) const {
        if (!same) return (kernel - 1) / 2;
        const int64_t rest = size % stride;
        return std::max<int64_t>(kernel - (rest == 0 ? stride : rest), 0) / 2;
    }
    int64_t out_size(int64_t size, int64_t kernel) const {
        return same ? (size + stride - 1) / stride : (size + 2 * ((kernel - 1) / 2) - kernel) / stride + 1;
    }
    Shape output_shape(const Shape& x, const Shape& w) const {
        return {x[0], out_size(x[1], w[1]), out_size(x[2], w[2]), w[0]};
    }

    // Calls visit(element of y, element of x, element of w) for every product of the convolution, each by its four
    // indices.
    template <class Visit>
    void products(const Shape& x, const Shape& w, Visit visit) const {
        const Shape y = output_shape(x, w);
        for (int64_t n = 0; n < y[0]; ++n)
            for (int64_t row = 0; row < y[1]; ++row)
                for (int64_t column = 0; column < y[2]; ++column)
                    for (int64_t out = 0; out < w[0]; ++out)
                        for (int64_t i = 0; i < w[1]; ++i)
                            for (int64_t j = 0; j < w[2]; ++j) {
                                const int64_t from_row = row * stride + i - before(x[1], w[1]);
                                const int64_t from_column = column * stride + j - before(x[2], w[2]);
                                if (from_row < 0 || from_row >= x[1] || from_column < 0 || from_column >= x[2])
                                    continue;
                                for (int64_t in = 0; in < w[3]; ++in) {
                                    visit(Index{n, row, column, out}, Index{n, from_row, from_column, in},
                                          Index{out, i, j, in});
                                }
                            }
    }

    Array forward(const Array& x, const Array& w) const {
        Array y(output_shape(x.shape, w.shape));
        products(x.shape, w.shape, [&](Index at_y, Index at_x, Index at_w) { at_y.of(y) += at_x.of(x) * at_w.of(w); });
        return y;
    }
    Array backward_data(const Array& dy, const Array& w, const Shape& x) const {
        Array dx(x);
        products(x, w.shape, [&](Index at_y, Index at_x, Index at_w) { at_x.of(dx) += at_y.of(dy) * at_w.of(w); });
        return dx;
    }
    Array backward_weight(const Array& x, const Array& dy, const Shape& w) const {
        Array dw(w);
        products(x.shape, w, [&](Index at_y, Index at_x, Index at_w) { at_w.of(dw) += at_y.of(dy) * at_x.of(x); });
        return dw;
    }

  private:
    struct Index {
        int64_t i, j, k, l;
        double& of(Array& array) const { return array.at(i, j, k, l); }
        double of(const Array& array) const { return array.at(i, j, k, l); }
    };
};

}  // namespace test
