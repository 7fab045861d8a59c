#include "tools/bench/kernel_bench/operands.h"

#include <random>

#include "engine/backend/kernel_backend.h"

namespace residual::bench {

namespace {

constexpr int kMostImages = 8;
constexpr float kEpsilon = 1e-3f, kDecay = 0.99f;

int largest_divisor(int number, int limit) {
    int divisor = std::min(number, limit);
    while (number % divisor != 0) --divisor;
    return divisor;
}

Tensor upload(Backend& backend, const Values& values, const Shape& shape, DType dtype = DType::kFloat32) {
    Tensor tensor;
    with_activation_type(dtype, [&]<class T>(T) {
        std::vector<T> host(static_cast<size_t>(shape.elements()));
        for (size_t i = 0; i < host.size(); ++i) host[i] = T(static_cast<float>(values[i % values.size()]));
        tensor = backend.from_host(host.data(), shape);
    });
    return tensor;
}

template <class T>
Values download_as(Backend& backend, const Tensor& tensor) {
    std::vector<T> host(static_cast<size_t>(tensor.elements()));
    backend.download(tensor, host.data());
    Values values(host.size());
    for (size_t i = 0; i < values.size(); ++i) {
        if constexpr (std::is_same_v<T, bfloat16>) {
            values[i] = static_cast<float>(host[i]);
        } else {
            values[i] = static_cast<double>(host[i]);
        }
    }
    return values;
}

}  // namespace

Values MomentsOperands::whole(const Operand& y, const Operand& dy) const {
    return plus(*dy.values, reference::moments_dx(*y.values, *mean.values, {*dmean.values, *dvariance.values}, rows));
}

Operands::Operands(Backend& backend, DType activations, int batch)
    : backend_(backend), activations_(activations), batch_(batch), images_(largest_divisor(batch, kMostImages)) {}

Shape Operands::with_batch(const Shape& image) const {
    std::vector<int64_t> extents{batch_};
    extents.insert(extents.end(), image.extents().begin(), image.extents().end());
    return Shape(extents);
}

// Odd multiples of 1/64: none is a ReLU's threshold, so that rounding never decides whether the ReLU passes it.
Operand Operands::batched(const Shape& image, DType dtype) {
    std::mt19937 random(++seed_);
    const auto channels = static_cast<size_t>(image[-1]);
    auto values = std::make_shared<Values>(static_cast<size_t>(images_ * image.elements()));
    for (size_t i = 0; i < values->size(); ++i) {
        const int steps = static_cast<int>(random() % 128) - 64;
        const int shift = static_cast<int>(i % channels * 7 % 64) - 32;
        (*values)[i] = (2 * (steps + shift) + 1) / 64.0;
    }
    return {upload(backend_, *values, with_batch(image), dtype), values};
}

Operand Operands::parameter(const Shape& shape, double low, double high, DType dtype) {
    std::mt19937 random(++seed_);
    std::uniform_real_distribution<double> distribution(low, high);
    auto values = std::make_shared<Values>(static_cast<size_t>(shape.elements()));
    for (double& value : *values) {
        value = static_cast<float>(distribution(random));
        if (dtype == DType::kBFloat16) value = static_cast<float>(bfloat16(static_cast<float>(value)));
    }
    return {upload(backend_, *values, shape, dtype), values};
}

BatchNormOperands Operands::batch_norm_of(const Operand& x) {
    const Shape channels{x.tensor.shape()[-1]};
    const reference::Moments stats = reference::moments_of(*x.values, static_cast<size_t>(channels[0]));
    const Operand gamma = parameter(channels, 0.5, 1.5), beta = parameter(channels, -0.5, 0.5);
    return {{{upload(backend_, stats.mean, channels), upload(backend_, stats.variance, channels)},
             gamma.tensor,
             beta.tensor,
             kEpsilon,
             true},
            {stats, *gamma.values, *beta.values, kEpsilon, true}};
}

MomentsOperands Operands::moments_of(const Operand& y) {
    const Shape channels{y.tensor.shape()[-1]};
    const auto rows = static_cast<double>(y.tensor.elements() / channels[0]);
    const Operand mean = parameter(channels, -0.5, 0.5), dmean = parameter(channels, -rows / 4, rows / 4);
    const Operand dvariance = parameter(channels, -rows / 8, rows / 8);
    return {mean, dmean, dvariance, {mean.tensor, dmean.tensor, dvariance.tensor}, rows};
}

RunningUpdate Operands::running_update(int channels) {
    const auto vector = [&] { return parameter({channels}, 0.5, 1.5).tensor; };
    return {{vector(), vector()}, kDecay};
}

Tensor Operands::result(const Shape& shape, DType dtype) {
    const Tensor tensor = backend_.empty(shape, dtype);
    const std::vector<unsigned char> bytes(tensor.bytes(), 0xff);
    backend_.upload(bytes.data(), tensor);
    return tensor;
}

BatchNormGradients Operands::batch_norm_gradients(int channels, bool fixed) {
    const auto vector = [&] { return result({channels}); };
    if (!fixed) return {vector(), vector()};
    return {vector(), vector(), vector(), vector()};
}

double bytes_of(std::initializer_list<Tensor> tensors) {
    double bytes = 0;
    for (const Tensor& tensor : tensors) bytes += tensor.defined() ? static_cast<double>(tensor.bytes()) : 0.0;
    return bytes;
}

Values download(Backend& backend, const Tensor& tensor) {
    if (tensor.dtype() == DType::kFloat32) return download_as<float>(backend, tensor);
    if (tensor.dtype() == DType::kBFloat16) return download_as<bfloat16>(backend, tensor);
    if (tensor.dtype() == DType::kFloat64) return download_as<double>(backend, tensor);
    RESIDUAL_ASSERT(tensor.dtype() == DType::kInt32);
    return download_as<int32_t>(backend, tensor);
}

std::vector<Output> stats_outputs(const BatchStats& stats, std::function<Values()> x) {
    const auto moments =
        once([x = std::move(x), channels = stats.mean.elements()] { return reference::moments_of(x(), channels); });
    return {{"mean", stats.mean, [moments] { return moments().mean; }},
            {"variance", stats.variance, [moments] { return moments().variance; }}};
}

std::vector<Output> batch_norm_outputs(const reference::BatchNorm& batch_norm, const Operand& x,
                                       std::function<Values()> dp, const Tensor& dx, const Operand& before,
                                       const BatchNormGradients& gradients, double repeats) {
    const bool fixed = gradients.dmean.defined();
    const auto masked = once([batch_norm, x, dp = std::move(dp)] { return batch_norm.masked(*x.values, dp()); });
    const auto sums = once([batch_norm, x, masked] { return batch_norm.sums(*x.values, masked()); });
    const auto dx_values = [batch_norm, x, masked, fixed, before] {
        Values values = fixed ? batch_norm.dx_fixed(masked()) : batch_norm.dx(*x.values, masked());
        return before.tensor.defined() ? plus(std::move(values), *before.values) : values;
    };
    std::vector<Output> outputs{{"dx", dx, dx_values},
                                {"dgamma", gradients.dgamma, [sums] { return sums().dgamma; }, repeats},
                                {"dbeta", gradients.dbeta, [sums] { return sums().dbeta; }, repeats}};
    if (!fixed) return outputs;
    const auto of_moments = [batch_norm, sums] { return batch_norm.moments_gradient(sums()); };
    outputs.push_back({"dmean", gradients.dmean, [of_moments] { return of_moments().mean; }, repeats});
    outputs.push_back({"dvariance", gradients.dvariance, [of_moments] { return of_moments().variance; }, repeats});
    return outputs;
}

}  // namespace residual::bench
