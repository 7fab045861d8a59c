// The three products of a convolution as plain loops in double precision, fast enough for whole networks. Activations
// NHWC, weights [out, kernel, kernel, in].
#pragma once

#include <vector>

#include "engine/backend/params.h"

namespace test {

class ReferenceProducts {
  public:
    using Values = std::vector<double>;

    explicit ReferenceProducts(const engine::Conv2dParams& conv) : conv_(conv) {}

    Values forward(const Values& x, const Values& weight) const {
        const Values w = inputs_first(weight);
        Values y(elements(conv_.output_shape()));
        for_each_picture([&](int n) {
            for_each_tap([&](int tap) {
                for_each_pair(n, tap, [&](int64_t from, int64_t to) {
                    add_product(x.data() + from * in(), in(), w.data() + tap * in() * out(), out(),
                                y.data() + to * out());
                });
            });
        });
        return y;
    }

    Values backward_data(const Values& dy, const Values& weight) const {
        const Values w = outputs_first(weight);
        Values dx(elements(conv_.input_shape()));
        for_each_picture([&](int n) {
            for_each_tap([&](int tap) {
                for_each_pair(n, tap, [&](int64_t to, int64_t from) {
                    add_product(dy.data() + from * out(), out(), w.data() + tap * in() * out(), in(),
                                dx.data() + to * in());
                });
            });
        });
        return dx;
    }

    Values backward_weight(const Values& x, const Values& dy) const {
        Values dw(elements(conv_.weight_shape()));
        for_each_tap([&](int tap) {
            Values sums(in() * out());
            for (int n = 0; n < conv_.batch; ++n) {
                for_each_pair(n, tap, [&](int64_t from, int64_t to) {
                    const double *a = x.data() + from * in(), *b = dy.data() + to * out();
                    for (int i = 0; i < in(); ++i) {
                        for (int o = 0; o < out(); ++o) sums[i * out() + o] += a[i] * b[o];
                    }
                });
            }
            for (int i = 0; i < in(); ++i) {
                for (int o = 0; o < out(); ++o) dw[(o * taps() + tap) * in() + i] = sums[i * out() + o];
            }
        });
        return dw;
    }

  private:
    int in() const { return conv_.in_channels; }
    int out() const { return conv_.out_channels; }
    int taps() const { return conv_.kernel * conv_.kernel; }
    static size_t elements(const engine::Shape& shape) { return static_cast<size_t>(shape.elements()); }

    // target [columns] += row [rows] * matrix [rows, columns]
    static void add_product(const double* row, int rows, const double* matrix, int columns, double* target) {
        for (int r = 0; r < rows; ++r) {
            for (int c = 0; c < columns; ++c) target[c] += row[r] * matrix[r * columns + c];
        }
    }

    template <class Body>
    void for_each_picture(Body body) const {
#pragma omp parallel for
        for (int n = 0; n < conv_.batch; ++n) body(n);
    }

    template <class Body>
    void for_each_tap(Body body) const {
        for (int tap = 0; tap < taps(); ++tap) body(tap);
    }

    // Calls visit(pixel of x, pixel of y) for all pixels of picture n that the kernel's element `tap` joins.
    template <class Visit>
    void for_each_pair(int n, int tap, Visit visit) const {
        const int height = conv_.out_height(), width = conv_.out_width();
        for (int row = 0; row < height; ++row) {
            const int from_row = row * conv_.stride + tap / conv_.kernel - conv_.pad_top;
            if (from_row < 0 || from_row >= conv_.height) continue;
            for (int column = 0; column < width; ++column) {
                const int from_column = column * conv_.stride + tap % conv_.kernel - conv_.pad_left;
                if (from_column < 0 || from_column >= conv_.width) continue;
                visit((int64_t{n} * conv_.height + from_row) * conv_.width + from_column,
                      (int64_t{n} * height + row) * width + column);
            }
        }
    }

    // [out, taps, in] -> [taps, in, out]
    Values inputs_first(const Values& weight) const {
        Values moved(weight.size());
        for (int o = 0; o < out(); ++o)
            for (int tap = 0; tap < taps(); ++tap)
                for (int i = 0; i < in(); ++i)
                    moved[(tap * in() + i) * out() + o] = weight[(o * taps() + tap) * in() + i];
        return moved;
    }
    // [out, taps, in] -> [taps, out, in]
    Values outputs_first(const Values& weight) const {
        Values moved(weight.size());
        for (int o = 0; o < out(); ++o)
            for (int tap = 0; tap < taps(); ++tap)
                for (int i = 0; i < in(); ++i)
                    moved[(tap * out() + o) * in() + i] = weight[(o * taps() + tap) * in() + i];
        return moved;
    }

    engine::Conv2dParams conv_;
};

}  // namespace test
