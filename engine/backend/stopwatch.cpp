#include "engine/backend/stopwatch.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace residual {

namespace {

class CpuStopwatch final : public Stopwatch {
  public:
    void start() override { start_ = std::chrono::steady_clock::now(); }
    double stop() override { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
    // Virtual machines often report too little or nothing; few CPUs have less than 8 MiB.
    size_t cache_bytes() const override {
        constexpr long kMinimum = 8L << 20;
        return static_cast<size_t>(
            std::max({kMinimum, sysconf(_SC_LEVEL2_CACHE_SIZE), sysconf(_SC_LEVEL3_CACHE_SIZE)}));
    }

  private:
    std::chrono::steady_clock::time_point start_;
};

}  // namespace

std::unique_ptr<Stopwatch> make_stopwatch(Backend& backend) {
    if (backend.device() == DeviceType::kCuda) return make_cuda_stopwatch(backend);
    return std::make_unique<CpuStopwatch>();
}

}  // namespace residual
