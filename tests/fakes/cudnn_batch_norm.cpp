// Batch norm in training and its gradient as plain loops.
#include <cmath>

#include "tests/fakes/cudnn_loops.h"

namespace fakes {

BatchNormResult normalise(const std::vector<float>& x, const std::vector<float>& gamma, const std::vector<float>& beta,
                          float epsilon) {
    const size_t channels = gamma.size();
    const auto rows = static_cast<double>(x.size() / channels);
    std::vector<double> mean(channels), variance(channels);
    for (size_t i = 0; i < x.size(); ++i) mean[i % channels] += x[i] / rows;
    for (size_t i = 0; i < x.size(); ++i) {
        const double distance = x[i] - mean[i % channels];
        variance[i % channels] += distance * distance / rows;
    }
    BatchNormResult result;
    result.mean.assign(mean.begin(), mean.end());
    for (size_t c = 0; c < channels; ++c) {
        result.inverse_std.push_back(static_cast<float>(1 / std::sqrt(variance[c] + double{epsilon})));
        result.unbiased_variance.push_back(
            static_cast<float>(rows > 1 ? variance[c] * rows / (rows - 1) : variance[c]));
    }
    for (size_t i = 0; i < x.size(); ++i) {
        const size_t c = i % channels;
        const double normalised = (x[i] - mean[c]) / std::sqrt(variance[c] + double{epsilon});
        result.y.push_back(static_cast<float>(gamma[c] * normalised + beta[c]));
    }
    return result;
}

BatchNormGradients normalise_backward(const std::vector<float>& x, const std::vector<float>& dy,
                                      const std::vector<float>& gamma, const std::vector<float>& mean,
                                      const std::vector<float>& inverse_std) {
    const size_t channels = gamma.size();
    const auto normalised = [&](size_t i) { return (double{x[i]} - mean[i % channels]) * inverse_std[i % channels]; };
    std::vector<double> dgamma(channels), dbeta(channels);
    for (size_t i = 0; i < x.size(); ++i) {
        dgamma[i % channels] += dy[i] * normalised(i);
        dbeta[i % channels] += dy[i];
    }
    BatchNormGradients result{
        std::vector<float>(x.size()), {dgamma.begin(), dgamma.end()}, {dbeta.begin(), dbeta.end()}};
    const auto rows = static_cast<double>(x.size() / channels);
    for (size_t i = 0; i < x.size(); ++i) {
        const size_t c = i % channels;
        result.dx[i] = static_cast<float>(double{gamma[c]} * inverse_std[c] *
                                          (dy[i] - dbeta[c] / rows - normalised(i) * dgamma[c] / rows));
    }
    return result;
}

}  // namespace fakes
