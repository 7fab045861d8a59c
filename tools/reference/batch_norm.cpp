#include "tools/reference/batch_norm.h"

#include <cmath>

namespace residual::reference {

Moments moments_of(const Values& x, size_t channels) {
    Moments m{Values(channels), Values(channels)};
    const auto rows = static_cast<double>(x.size() / channels);
    for (size_t i = 0; i < x.size(); ++i) m.mean[i % channels] += x[i];
    for (double& mean : m.mean) mean /= rows;
    for (size_t i = 0; i < x.size(); ++i) {
        const double distance = x[i] - m.mean[i % channels];
        m.variance[i % channels] += distance * distance / rows;
    }
    return m;
}

Values moments_dx(const Values& x, const Values& mean, const Moments& gradient, double rows) {
    Values dx(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
        const size_t c = i % mean.size();
        dx[i] = (gradient.mean[c] + 2 * gradient.variance[c] * (x[i] - mean[c])) / rows;
    }
    return dx;
}

Values moments_dx(const Values& x, const Values& mean, const Moments& gradient) {
    return moments_dx(x, mean, gradient, static_cast<double>(x.size() / mean.size()));
}

double BatchNorm::rstd(size_t c) const {
    return 1 / std::sqrt(moments.variance[c] + epsilon);
}

Values BatchNorm::forward(const Values& x, const Values& residual) const {
    Values y(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
        const size_t c = i % channels();
        y[i] = gamma[c] * normalised(x[i], c) + beta[c] + (residual.empty() ? 0 : residual[i]);
        if (relu && y[i] < 0) y[i] = 0;
    }
    return y;
}

Values BatchNorm::masked(const Values& x, Values dy, const Values& residual) const {
    if (!relu) return dy;
    const Values y = forward(x, residual);
    for (size_t i = 0; i < dy.size(); ++i) {
        if (y[i] <= 0) dy[i] = 0;
    }
    return dy;
}

BatchNormSums BatchNorm::sums(const Values& x, const Values& masked_dy) const {
    BatchNormSums sums{Values(channels()), Values(channels())};
    for (size_t i = 0; i < x.size(); ++i) {
        const size_t c = i % channels();
        sums.dgamma[c] += masked_dy[i] * normalised(x[i], c);
        sums.dbeta[c] += masked_dy[i];
    }
    return sums;
}

Values BatchNorm::dx_fixed(const Values& masked_dy) const {
    Values dx(masked_dy.size());
    for (size_t i = 0; i < dx.size(); ++i) dx[i] = scale(i % channels()) * masked_dy[i];
    return dx;
}

Moments BatchNorm::moments_gradient(const BatchNormSums& sums) const {
    Moments gradient{Values(channels()), Values(channels())};
    for (size_t c = 0; c < channels(); ++c) {
        gradient.mean[c] = -scale(c) * sums.dbeta[c];
        gradient.variance[c] = -0.5 * scale(c) * rstd(c) * sums.dgamma[c];
    }
    return gradient;
}

Values BatchNorm::dx(const Values& x, const Values& masked_dy) const {
    return plus(dx_fixed(masked_dy), moments_dx(x, moments.mean, moments_gradient(sums(x, masked_dy))));
}

}  // namespace residual::reference
