// Convolution and its gradients in double precision, on arrays.
#pragma once

#include <algorithm>

#include "tests/support/array.h"
#include "tools/reference/convolution.h"

namespace test {

struct ReferenceConv {
    int stride;
    bool same;  // TensorFlow's "SAME" padding; otherwise (kernel - 1) / 2 on every side

    Shape output_shape(const Shape& x, const Shape& w) const {
        const residual::reference::ConvShape s = shape_of(x, w);
        return {s.batch, s.out_height, s.out_width, s.out_channels};
    }

    Array forward(const Array& x, const Array& w) const {
        return {output_shape(x.shape, w.shape),
                residual::reference::conv(shape_of(x.shape, w.shape), x.values, w.values)};
    }
    Array backward_data(const Array& dy, const Array& w, const Shape& x) const {
        return {x, residual::reference::conv_dx(shape_of(x, w.shape), dy.values, w.values)};
    }
    Array backward_weight(const Array& x, const Array& dy, const Shape& w) const {
        return {w, residual::reference::conv_dweight(shape_of(x.shape, w), x.values, dy.values)};
    }

  private:
    // The padding before the first row (or column), by the formula in TensorFlow's documentation. For an even size and
    // stride 2 it is smaller than the padding after the last one.
    int before(int size, int kernel) const {
        if (!same) return (kernel - 1) / 2;
        const int rest = size % stride;
        return std::max(kernel - (rest == 0 ? stride : rest), 0) / 2;
    }
    int out_size(int size, int kernel) const {
        return same ? (size + stride - 1) / stride : (size + 2 * ((kernel - 1) / 2) - kernel) / stride + 1;
    }
    residual::reference::ConvShape shape_of(const Shape& x, const Shape& w) const {
        RESIDUAL_ASSERT(w[1] == w[2] && w[3] == x[3]);
        const auto at = [](const Shape& shape, int axis) { return static_cast<int>(shape[axis]); };
        const int height = at(x, 1), width = at(x, 2), kernel = at(w, 1);
        return {at(x, 0),
                height,
                width,
                at(x, 3),
                at(w, 0),
                kernel,
                stride,
                before(height, kernel),
                before(width, kernel),
                out_size(height, kernel),
                out_size(width, kernel)};
    }
};

}  // namespace test
