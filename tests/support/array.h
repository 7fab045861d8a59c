// Double-precision arrays in host memory, with upload to and download from a device.
#pragma once

#include <cmath>
#include <random>
#include <string_view>
#include <vector>

#include "engine/backend/backend.h"
#include "tests/support/relative_error.h"

namespace test {

using residual::Backend;
using residual::DType;
using residual::Shape;
using residual::Tensor;

struct Array {
    Shape shape;
    std::vector<double> values;

    explicit Array(const Shape& shape) : shape(shape), values(static_cast<size_t>(shape.elements())) {}
    Array(const Shape& shape, std::vector<double> values) : shape(shape), values(std::move(values)) {}

    // Element [i, j, k, l] of a shape with 4 axes.
    double& at(int64_t i, int64_t j, int64_t k, int64_t l) {
        return values[static_cast<size_t>(((i * shape[1] + j) * shape[2] + k) * shape[3] + l)];
    }
    double at(int64_t i, int64_t j, int64_t k, int64_t l) const { return const_cast<Array*>(this)->at(i, j, k, l); }
};

// Seeded by a name; the same sequence on every machine.
class Random {
  public:
    explicit Random(std::string_view name) {
        std::seed_seq seed(name.begin(), name.end());
        generator_.seed(seed);
    }

    double uniform(double low, double high) { return low + (high - low) * generator_() * 0x1p-32; }
    // 0 .. n-1
    int below(int n) { return static_cast<int>(generator_() % static_cast<unsigned>(n)); }
    Array uniform(const Shape& shape, double low = -1, double high = 1) {
        Array array(shape);
        for (double& value : array.values) value = uniform(low, high);
        return array;
    }

  private:
    std::mt19937 generator_;
};

// Rounds to `bits` bits of mantissa, including the hidden bit; ties to even.
inline double rounded_to_bits(double value, int bits) {
    int exponent = 0;
    const double fraction = std::frexp(value, &exponent);
    return std::ldexp(std::nearbyint(std::ldexp(fraction, bits)), exponent - bits);
}

// Rounds to float32 or bfloat16.
inline Array rounded(Array array, DType dtype) {
    for (double& value : array.values) value = rounded_to_bits(value, dtype == DType::kBFloat16 ? 8 : 24);
    return array;
}

inline Tensor upload(Backend& backend, const Array& array, DType dtype) {
    if (dtype == DType::kFloat32) {
        const std::vector<float> values(array.values.begin(), array.values.end());
        return backend.from_host(values.data(), array.shape);
    }
    RESIDUAL_ASSERT(dtype == DType::kBFloat16);
    std::vector<residual::bfloat16> values;
    for (const double value : array.values) values.emplace_back(static_cast<float>(value));
    return backend.from_host(values.data(), array.shape);
}

template <class T>
std::vector<T> values_of(Backend& backend, const Tensor& x) {
    RESIDUAL_ASSERT(residual::DTypeOf<T>::value == x.dtype());
    std::vector<T> values(static_cast<size_t>(x.elements()));
    backend.download(x, values.data());
    return values;
}

inline Array download(Backend& backend, const Tensor& x) {
    Array array(x.shape());
    if (x.dtype() == DType::kFloat32) {
        const auto values = values_of<float>(backend, x);
        array.values.assign(values.begin(), values.end());
    } else {
        const auto values = values_of<residual::bfloat16>(backend, x);
        for (size_t i = 0; i < values.size(); ++i) array.values[i] = static_cast<float>(values[i]);
    }
    return array;
}

inline Tensor upload_labels(Backend& backend, const std::vector<int32_t>& labels) {
    return backend.from_host(labels.data(), {static_cast<int64_t>(labels.size())});
}

inline double relative_error(const Array& actual, const Array& expected) {
    RESIDUAL_ASSERT(actual.shape == expected.shape);
    return relative_error(actual.values, expected.values);
}

// The largest relative error of an operation on this type, if the reference reads the same rounded inputs.
inline double tolerance(DType dtype) {
    return dtype == DType::kFloat32 ? 1e-5 : 1e-2;
}

inline Array sum(Array a, const Array& b) {
    RESIDUAL_ASSERT(a.shape == b.shape);
    for (size_t i = 0; i < a.values.size(); ++i) a.values[i] += b.values[i];
    return a;
}

}  // namespace test
