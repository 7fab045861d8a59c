// The devices of a kernel test. A test body is a function template on the device; DEVICE_TEST_CASE runs it on every
// host target that the CPU supports and, in a build with CUDA, on the GPU, tagged [gpu] and skipped with a warning if
// there is no GPU.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/host_targets.h"
#include "tests/catch.h"

#if defined(RESIDUAL_CUDA)
#include <cuda_runtime_api.h>
#endif

// Fills new arrays: NaN as float and as bfloat16, to reveal elements that were not written.
inline constexpr int kPoison = 0xff;

template <class Host>
struct HostDevice {
    static Host exec() { return {}; }

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

// A test for the host only.
#define HOST_TEST_CASE(name, tags, body)                          \
    TEST_CASE(name, tags) {                                       \
        residual::kernels::for_each_host([]<class Host>(Host h) { \
            INFO("host target: " << name_of(h));                  \
            body<HostDevice<Host>>();                             \
        });                                                       \
    }

#if defined(RESIDUAL_CUDA)

inline void check_cuda(cudaError_t error) {
    if (error != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(error));
}

struct CudaDevice {
    static residual::kernels::Cuda exec() { return {}; }

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

inline bool skipped_without_gpu() {
    int devices = 0;
    if (cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0) return false;
    WARN("skipped: no GPU");
    return true;
}

#define DEVICE_TEST_CASE(name, tags, body)              \
    HOST_TEST_CASE(name, tags, body)                    \
    TEST_CASE(name " on the GPU", tags "[gpu]") {       \
        if (!skipped_without_gpu()) body<CudaDevice>(); \
    }
#else
#define DEVICE_TEST_CASE(name, tags, body) HOST_TEST_CASE(name, tags, body)
#endif
