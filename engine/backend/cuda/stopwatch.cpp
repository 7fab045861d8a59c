#include "engine/backend/stopwatch.h"

#include "engine/backend/cuda/cuda_backend.h"

namespace residual {

namespace {

class CudaStopwatch final : public Stopwatch {
  public:
    explicit CudaStopwatch(cudaStream_t stream)
        : stream_(stream), start_(cuda::make_event(cudaEventDefault)), stop_(cuda::make_event(cudaEventDefault)) {}

    void start() override { CUDA_CALL(cudaEventRecord(start_.get(), stream_)); }

    double stop() override {
        float milliseconds = 0;
        CUDA_CALL(cudaEventRecord(stop_.get(), stream_));
        CUDA_CALL(cudaEventSynchronize(stop_.get()));
        CUDA_CALL(cudaEventElapsedTime(&milliseconds, start_.get(), stop_.get()));
        return milliseconds * 1e-3;
    }

    size_t cache_bytes() const override {
        int device = 0;
        CUDA_CALL(cudaGetDevice(&device));
        cudaDeviceProp properties{};
        CUDA_CALL(cudaGetDeviceProperties(&properties, device));
        return static_cast<size_t>(properties.l2CacheSize);
    }

  private:
    cudaStream_t stream_;
    cuda::Event start_, stop_;
};

}  // namespace

std::unique_ptr<Stopwatch> make_cuda_stopwatch(Backend& backend) {
    return std::make_unique<CudaStopwatch>(dynamic_cast<CudaBackend&>(backend).exec().stream);
}

}  // namespace residual
