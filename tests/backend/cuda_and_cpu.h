// Runs an operation on the CUDA device and on the CPU with the same inputs and compares the results.
#pragma once

#include <array>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "engine/backend/backend.h"

namespace residual {

// If CUDA is unavailable, prints why and returns true.
inline bool skipped_without_gpu() {
    const std::string reason = why_no_cuda();
    if (!reason.empty()) std::printf("skipped: no GPU (%s)\n", reason.c_str());
    return !reason.empty();
}

// Maximum relative L2 error of an operation in this type.
inline double tolerance(DType dtype) {
    return dtype == DType::kFloat32 ? 1e-5 : 1e-2;
}

template <class T>
std::vector<T> values_of(Backend& backend, const Tensor& x) {
    RESIDUAL_ASSERT(DTypeOf<T>::value == x.dtype());
    std::vector<T> values(x.elements());
    backend.download(x, values.data());
    return values;
}

// The elements of a float32 or bfloat16 tensor as float.
inline std::vector<float> floats_of(Backend& backend, const Tensor& x) {
    if (x.dtype() == DType::kFloat32) return values_of<float>(backend, x);
    std::vector<float> values;
    for (const bfloat16 value : values_of<bfloat16>(backend, x)) values.push_back(static_cast<float>(value));
    return values;
}

inline Tensor to_device(Backend& backend, const std::vector<float>& values, const Shape& shape, DType dtype) {
    if (dtype == DType::kFloat32) return backend.from_host(values.data(), shape);
    std::vector<bfloat16> rounded;
    for (const float value : values) rounded.emplace_back(value);
    return backend.from_host(rounded.data(), shape);
}

// |a - b| / |b| in the L2 norm; |a| if b is zero. NaN if any element is NaN.
inline double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
    double difference = 0, norm = 0;
    for (size_t i = 0; i < b.size(); ++i) {
        difference += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
        norm += double{b[i]} * b[i];
    }
    return std::sqrt(norm > 0 ? difference / norm : difference);
}

class CudaAndCpu {
  public:
    // The same tensor on the CPU and on the GPU.
    using Both = std::array<Tensor, 2>;

    CudaAndCpu() : backends_{make_cpu_backend(), make_cuda_backend({})} {}

    Backend& cpu() { return *backends_[0]; }
    Backend& gpu() { return *backends_[1]; }

    template <class T>
    Both from_host(const std::vector<T>& values, const Shape& shape) {
        return {cpu().from_host(values.data(), shape), gpu().from_host(values.data(), shape)};
    }
    Both from_floats(const std::vector<float>& values, const Shape& shape, DType dtype) {
        return {to_device(cpu(), values, shape, dtype), to_device(gpu(), values, shape, dtype)};
    }
    // Uniformly distributed between low and high.
    Both random(const Shape& shape, DType dtype, float low = -1, float high = 1) {
        std::vector<float> values(shape.elements());
        for (float& value : values) value = low + (high - low) * static_cast<float>(random_() >> 8) / (1 << 24);
        return from_floats(values, shape, dtype);
    }
    // Filled with NaN; operations must overwrite every element.
    Both output(const Shape& shape, DType dtype) {
        return from_floats(std::vector<float>(shape.elements(), NAN), shape, dtype);
    }

    // Calls operation(backend, side) for the CPU (side 0) and the GPU (side 1).
    template <class Operation>
    void run(Operation operation) {
        for (int side : {0, 1}) operation(*backends_[side], side);
    }

    double error(const Both& x) { return relative_error(floats_of(gpu(), x[1]), floats_of(cpu(), x[0])); }
    template <class T>
    bool same(const Both& x) {
        return values_of<T>(cpu(), x[0]) == values_of<T>(gpu(), x[1]);
    }

  private:
    std::array<std::unique_ptr<Backend>, 2> backends_;
    std::mt19937 random_{20240229};
};

}  // namespace residual
