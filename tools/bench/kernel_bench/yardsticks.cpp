#include "tools/bench/kernel_bench/yardsticks.h"

#include <algorithm>
#include <random>
#include <vector>

#include "engine/backend/kernel_backend.h"
#include "kernels/matrix_peak.h"
#include "tools/bench/host_peaks.h"

namespace residual::bench {

namespace {

constexpr int kRounds = 7;
constexpr double kLongEnough = 3e-3;  // Seconds

// The shortest time of several rounds of `work`, after a warm-up.
double shortest(Stopwatch& stopwatch, const std::function<void()>& work) {
    work();
    double best = 0;
    for (int round = 0; round < kRounds; ++round) {
        stopwatch.start();
        work();
        const double seconds = stopwatch.stop();
        best = round == 0 ? seconds : std::min(best, seconds);
    }
    return best;
}

double copy_rate(Backend& backend, Stopwatch& stopwatch) {
    constexpr int64_t kBytes = int64_t{1} << 28;
    const Tensor from = backend.zeros({kBytes}, DType::kUInt8), to = backend.empty({kBytes}, DType::kUInt8);
    return 2.0 * kBytes / shortest(stopwatch, [&] { backend.copy(from, to); });
}

// A GPU multiplies zeros faster than other values, because that takes less power.
Tensor random_values(Backend& backend, const Shape& shape, DType dtype) {
    std::mt19937 random(1);
    std::vector<float> values(shape.elements());
    for (float& value : values) value = static_cast<float>(random()) * 0x1p-31f - 1.0f;
    const Tensor wide = backend.from_host(values.data(), shape);
    if (dtype == DType::kFloat32) return wide;
    const Tensor narrow = backend.empty(shape, dtype);
    backend.cast(wide, narrow);
    return narrow;
}

// Square matrix products as 1x1 convolutions of growing size, until one takes long enough to be timed well.
double product_rate(Backend& backend, Stopwatch& stopwatch, DType dtype) {
    double best = 0;
    for (int n = 256; n <= 8192; n *= 2) {
        const Conv2dParams p{1, n / 64, 64, n, n, 1, 1, 0, 0, 0, 0};
        const Tensor x = random_values(backend, p.input_shape(), dtype);
        const Tensor w = random_values(backend, p.weight_shape(), dtype);
        const Tensor y = backend.empty(p.output_shape(), dtype);
        const double seconds = shortest(stopwatch, [&] { backend.conv2d(p, x, w, y); });
        best = std::max(best, 2.0 * n * n * n / seconds);
        if (seconds > kLongEnough) break;
    }
    return best;
}

#if defined(RESIDUAL_CUDA)
// Launches with growing work, until one takes long enough to be timed well.
double tensor_core_rate(Backend& backend, Stopwatch& stopwatch) {
    constexpr int kMostBlocks = 1 << 12;
    double best = 0;
    int blocks = 16, repeats = 16;
    const Tensor sums = backend.empty({int64_t{kMostBlocks} * kernels::kMatrixPeakThreads}, DType::kFloat32);
    const auto exec = dynamic_cast<KernelBackend<kernels::Cuda>&>(backend).exec();
    for (double seconds = 0; seconds < kLongEnough;) {
        seconds = shortest(stopwatch, [&] { kernels::matrix_peak(exec, blocks, repeats, sums.data<float>()); });
        best = std::max(best, static_cast<double>(kernels::kMatrixPeakFlops) * blocks * repeats / seconds);
        (blocks < kMostBlocks ? blocks : repeats) *= 2;
    }
    return best;
}
#endif

}  // namespace

void Yardsticks::add(const std::string& source, const std::function<double()>& flops_per_second) {
    try {
        products.push_back({source, flops_per_second()});
    } catch (const std::exception& error) {
        failures.push_back({source, error.what()});
    }
}

double Yardsticks::most_flops_per_second() const {
    double most = 0;
    for (const Rate& rate : products) most = std::max(most, rate.flops_per_second);
    return most;
}

Yardsticks measure_yardsticks(Backend& backend, Stopwatch& stopwatch) {
    if (backend.device() == DeviceType::kCpu) {
        return {tools::copy_gb_per_s() * 1e9, {{"float32 multiply-adds on registers", tools::fma_gflops() * 1e9}}, {}};
    }
    const DType dtype = backend.prefers_bfloat16() ? DType::kBFloat16 : DType::kFloat32;
    Yardsticks yardsticks{copy_rate(backend, stopwatch), {}, {}};
    yardsticks.add("the library's products of square matrices",
                   [&] { return product_rate(backend, stopwatch, dtype); });
#if defined(RESIDUAL_CUDA)
    if (backend.prefers_bfloat16()) {
        yardsticks.add("mma.sync on registers", [&] { return tensor_core_rate(backend, stopwatch); });
    }
#endif
    backend.synchronize();  // Fails if the device is lost.
    return yardsticks;
}

}  // namespace residual::bench
