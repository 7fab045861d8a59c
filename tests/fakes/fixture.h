// Device memory and streams for the tests of the fakes.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cudnn_graph.h>

#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/fakes/refusal.h"

namespace fakes {

// Device memory that holds `values`.
class Buffer {
  public:
    explicit Buffer(const std::vector<float>& values) : floats_(values.size()) {
        REQUIRE(cudaMalloc(&pointer_, bytes()) == cudaSuccess);
        REQUIRE(cudaMemcpy(pointer_, values.data(), bytes(), cudaMemcpyHostToDevice) == cudaSuccess);
    }
    ~Buffer() { cudaFree(pointer_); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    float* get() const { return static_cast<float*>(pointer_); }
    size_t bytes() const { return floats_ * sizeof(float); }
    std::vector<float> values() const {
        std::vector<float> values(floats_);
        REQUIRE(cudaMemcpy(values.data(), pointer_, bytes(), cudaMemcpyDeviceToHost) == cudaSuccess);
        return values;
    }

  private:
    void* pointer_ = nullptr;
    size_t floats_;
};

class StreamOwner {
  public:
    StreamOwner() { REQUIRE(cudaStreamCreate(&stream_) == cudaSuccess); }
    ~StreamOwner() { cudaStreamDestroy(stream_); }
    StreamOwner(const StreamOwner&) = delete;
    StreamOwner& operator=(const StreamOwner&) = delete;
    cudaStream_t get() const { return stream_; }
    void wait() const { REQUIRE(cudaStreamSynchronize(stream_) == cudaSuccess); }

  private:
    cudaStream_t stream_ = nullptr;
};

// The calls refused for wrong arguments since the last call, one per line.
inline std::string refusals() {
    std::string text;
    for (const std::string& reason : take_wrong_arguments()) text += reason + "\n";
    return text;
}

inline std::vector<float> ramp(size_t count, float first, float step) {
    std::vector<float> values(count);
    for (size_t i = 0; i < count; ++i) values[i] = first + step * static_cast<float>(i % 17);
    return values;
}

}  // namespace fakes
