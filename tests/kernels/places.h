// Where a kernel test runs. A test body is a function template on the place; PLACED_TEST_CASE makes a test of it for
// the host and, in a build with CUDA, one tagged [gpu] that is skipped aloud where there is no GPU.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/exec.h"
#include "tests/catch.h"

#if defined(RESIDUAL_CUDA)
#include <cuda_runtime_api.h>
#endif

// A fresh array is full of 0xff bytes, a NaN as float and as bfloat16, so that an element nobody wrote shows.
inline constexpr int kPoison = 0xff;

struct HostPlace {
    static residual::kernels::Host exec() { return {}; }

    template <class T>
    class Array {
      public:
        explicit Array(size_t n) : values_(n) {
            if (n > 0) std::memset(static_cast<void*>(values_.data()), kPoison, n * sizeof(T));
        }
        explicit Array(const std::vector<T>& values) : values_(values) {}
        T* data() { return values_.data(); }
        std::vector<T> read() const { return values_; }

      private:
        std::vector<T> values_;
    };
};

#if defined(RESIDUAL_CUDA)

inline void check_cuda(cudaError_t error) {
    if (error != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(error));
}

struct CudaPlace {
    static residual::kernels::Cuda exec() { return {}; }

    static bool present() {
        int devices = 0;
        return cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0;
    }

    template <class T>
    class Array {
      public:
        explicit Array(size_t n) : size_(n) {
            check_cuda(cudaMalloc(reinterpret_cast<void**>(&data_), n * sizeof(T)));
            check_cuda(cudaMemset(data_, kPoison, n * sizeof(T)));
        }
        explicit Array(const std::vector<T>& values) : Array(values.size()) {
            check_cuda(cudaMemcpy(data_, values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice));
        }
        Array(const Array&) = delete;
        Array& operator=(const Array&) = delete;
        ~Array() { cudaFree(data_); }
        T* data() { return data_; }
        std::vector<T> read() const {
            std::vector<T> values(size_);
            check_cuda(cudaDeviceSynchronize());
            check_cuda(cudaMemcpy(values.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost));
            return values;
        }

      private:
        T* data_ = nullptr;
        size_t size_ = 0;
    };
};

#define PLACED_TEST_CASE(name, tags, body)        \
    TEST_CASE(name, tags) {                       \
        body<HostPlace>();                        \
    }                                             \
    TEST_CASE(name " on the GPU", tags "[gpu]") { \
        if (CudaPlace::present()) {               \
            body<CudaPlace>();                    \
        } else {                                  \
            WARN("skipped: no GPU");              \
        }                                         \
    }
#else
#define PLACED_TEST_CASE(name, tags, body) \
    TEST_CASE(name, tags) {                \
        body<HostPlace>();                 \
    }
#endif
