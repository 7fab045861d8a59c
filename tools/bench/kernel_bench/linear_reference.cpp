#include "tools/bench/kernel_bench/linear_reference.h"

namespace residual::bench {

namespace {

// a [m, k] times b [k, n], each given by a function of row and column.
template <class A, class B>
Values product(size_t m, size_t k, size_t n, A a, B b) {
    Values c(m * n);
    for (size_t i = 0; i < m; ++i)
        for (size_t j = 0; j < n; ++j)
            for (size_t l = 0; l < k; ++l) c[i * n + j] += a(i, l) * b(l, j);
    return c;
}

}  // namespace

Values column_sums(const Values& x, size_t columns) {
    Values sums(columns);
    for (size_t i = 0; i < x.size(); ++i) sums[i % columns] += x[i];
    return sums;
}

Values pooled_values(const Values& x, size_t pixels, size_t channels) {
    Values y(x.size() / pixels);
    for (size_t i = 0; i < x.size(); ++i) {
        y[i / (pixels * channels) * channels + i % channels] += x[i] / static_cast<double>(pixels);
    }
    return y;
}

Values unpooled_values(const Values& dy, size_t pixels, size_t channels) {
    Values dx(dy.size() * pixels);
    for (size_t i = 0; i < dx.size(); ++i) {
        dx[i] = dy[i / (pixels * channels) * channels + i % channels] / static_cast<double>(pixels);
    }
    return dx;
}

Values LinearReference::forward(const Values& x, const Values& weight) const {
    return product(
        rows, features, classes, [&](size_t i, size_t j) { return x[i * features + j]; },
        [&](size_t i, size_t j) { return weight[j * features + i]; });
}

Values LinearReference::dx(const Values& dy, const Values& weight) const {
    return product(
        rows, classes, features, [&](size_t i, size_t j) { return dy[i * classes + j]; },
        [&](size_t i, size_t j) { return weight[i * features + j]; });
}

Values LinearReference::dw(const Values& x, const Values& dy) const {
    return product(
        classes, rows, features, [&](size_t i, size_t j) { return dy[j * classes + i]; },
        [&](size_t i, size_t j) { return x[i * features + j]; });
}

}  // namespace residual::bench
