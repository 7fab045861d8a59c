#include "tools/reference/operations.h"

namespace residual::reference {

namespace {

// Calls visit(element of x, element of y, its weight) for every element of x that the shortcut reads.
template <class Visit>
void for_each_element(const Shortcut& s, size_t x_elements, Visit visit) {
    const int before = (s.out_channels - s.channels) / 2;
    for (size_t i = 0; i < x_elements; ++i) {
        const size_t c = i % s.channels, column = i / s.channels % s.width;
        const size_t row = i / s.channels / s.width;  // Counted through all images, whose heights are even.
        if (!s.pools && (row % 2 != 0 || column % 2 != 0)) continue;
        visit(i, (row / 2 * (s.width / 2) + column / 2) * s.out_channels + before + c, s.pools ? 0.25 : 1.0);
    }
}

}  // namespace

Values Shortcut::forward(const Values& x) const {
    Values y(x.size() / channels / 4 * out_channels);
    for_each_element(*this, x.size(), [&](size_t at_x, size_t at_y, double weight) { y[at_y] += weight * x[at_x]; });
    return y;
}

Values Shortcut::backward(const Values& dy) const {
    Values dx(dy.size() / out_channels * 4 * channels);
    for_each_element(*this, dx.size(), [&](size_t at_x, size_t at_y, double weight) { dx[at_x] = weight * dy[at_y]; });
    return dx;
}

Values global_pool(const Values& x, size_t pixels, size_t channels) {
    Values y(x.size() / pixels);
    for (size_t i = 0; i < x.size(); ++i) {
        y[i / (pixels * channels) * channels + i % channels] += x[i] / static_cast<double>(pixels);
    }
    return y;
}

Values global_pool_dx(const Values& dy, size_t pixels, size_t channels) {
    Values dx(dy.size() * pixels);
    for (size_t i = 0; i < dx.size(); ++i) {
        dx[i] = dy[i / (pixels * channels) * channels + i % channels] / static_cast<double>(pixels);
    }
    return dx;
}

Values matmul(const Values& a, bool transpose_a, const Values& b, bool transpose_b, size_t rows, size_t columns) {
    const size_t inner = a.size() / rows;
    Values c(rows * columns);
    for (size_t i = 0; i < rows; ++i)
        for (size_t j = 0; j < columns; ++j)
            for (size_t k = 0; k < inner; ++k) {
                c[i * columns + j] +=
                    a[transpose_a ? k * rows + i : i * inner + k] * b[transpose_b ? j * inner + k : k * columns + j];
            }
    return c;
}

Values add_bias(Values x, const Values& bias) {
    for (size_t i = 0; i < x.size(); ++i) x[i] += bias[i % bias.size()];
    return x;
}

Values column_sums(const Values& x, size_t columns) {
    Values sums(columns);
    for (size_t i = 0; i < x.size(); ++i) sums[i % columns] += x[i];
    return sums;
}

}  // namespace residual::reference
