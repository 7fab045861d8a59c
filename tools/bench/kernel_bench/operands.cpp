#include "tools/bench/kernel_bench/operands.h"

#include <random>

namespace residual::bench {

namespace {

constexpr int kMostImages = 8;
constexpr float kEpsilon = 1e-3f;

int largest_divisor(int number, int limit) {
    int divisor = std::min(number, limit);
    while (number % divisor != 0) --divisor;
    return divisor;
}

template <class T>
Tensor upload(Backend& backend, const Values& values, const Shape& shape) {
    std::vector<T> host(static_cast<size_t>(shape.elements()));
    for (size_t i = 0; i < host.size(); ++i) host[i] = static_cast<T>(static_cast<float>(values[i % values.size()]));
    return backend.from_host(host.data(), shape);
}

Tensor upload(Backend& backend, const Values& values, const Shape& shape, DType dtype) {
    RESIDUAL_ASSERT(dtype == DType::kFloat32 || dtype == DType::kBFloat16);
    return dtype == DType::kFloat32 ? upload<float>(backend, values, shape) : upload<bfloat16>(backend, values, shape);
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

Shape with_batch(int batch, const Shape& image) {
    std::vector<int64_t> extents{batch};
    extents.insert(extents.end(), image.extents().begin(), image.extents().end());
    return Shape(extents);
}

}  // namespace

Operands::Operands(Backend& backend, DType activations, int batch)
    : backend_(backend), activations_(activations), batch_(batch), images_(largest_divisor(batch, kMostImages)) {}

// Odd multiples of 1/64: a ReLU's threshold falls on none of them, so that no rounding decides which side it is on.
Operand Operands::batched(const Shape& image, DType dtype) {
    std::mt19937 random(++seed_);
    const auto channels = static_cast<size_t>(image[-1]);
    auto values = std::make_shared<Values>(static_cast<size_t>(images_ * image.elements()));
    for (size_t i = 0; i < values->size(); ++i) {
        const int steps = static_cast<int>(random() % 128) - 64;
        const int shift = static_cast<int>(i % channels * 7 % 64) - 32;
        (*values)[i] = (2 * (steps + shift) + 1) / 64.0;
    }
    return {upload(backend_, *values, with_batch(batch_, image), dtype), values};
}

Operand Operands::parameter(const Shape& shape, DType dtype, double low, double high) {
    std::mt19937 random(++seed_);
    std::uniform_real_distribution<double> distribution(low, high);
    auto values = std::make_shared<Values>(static_cast<size_t>(shape.elements()));
    for (double& value : *values) {
        value = static_cast<float>(distribution(random));
        if (dtype == DType::kBFloat16) value = static_cast<float>(bfloat16(static_cast<float>(value)));
    }
    return {upload(backend_, *values, shape, dtype), values};
}

BatchNormOperands Operands::batch_norm_of(const Operand& x, bool relu) {
    const Shape channels{x.tensor.shape()[-1]};
    const reference::Moments stats = reference::moments_of(*x.values, static_cast<size_t>(channels[0]));
    const auto as_tensor = [&](const Values& values) { return upload(backend_, values, channels, DType::kFloat32); };
    const Operand gamma = parameter(channels, DType::kFloat32, 0.5, 1.5);
    const Operand beta = parameter(channels, DType::kFloat32, -0.5, 0.5);
    return {{{as_tensor(stats.mean), as_tensor(stats.variance)}, gamma.tensor, beta.tensor, kEpsilon, relu},
            {stats, *gamma.values, *beta.values, kEpsilon, relu}};
}

Tensor Operands::result(const Shape& shape, DType dtype) {
    const Tensor tensor = backend_.empty(shape, dtype);
    const std::vector<unsigned char> bytes(tensor.bytes(), 0xff);
    backend_.upload(bytes.data(), tensor);
    return tensor;
}

double bytes_of(std::initializer_list<Tensor> tensors) {
    double bytes = 0;
    for (const Tensor& tensor : tensors) bytes += static_cast<double>(tensor.bytes());
    return bytes;
}

Values download(Backend& backend, const Tensor& tensor) {
    switch (tensor.dtype()) {
        case DType::kFloat32:
            return download_as<float>(backend, tensor);
        case DType::kBFloat16:
            return download_as<bfloat16>(backend, tensor);
        case DType::kFloat64:
            return download_as<double>(backend, tensor);
        case DType::kInt32:
            return download_as<int32_t>(backend, tensor);
        case DType::kInt64:
            return download_as<int64_t>(backend, tensor);
        case DType::kUInt8:
            return download_as<uint8_t>(backend, tensor);
    }
    return {};
}

}  // namespace residual::bench
