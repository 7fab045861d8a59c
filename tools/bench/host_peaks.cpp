#include "tools/bench/host_peaks.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "kernels/fma_peak.h"
#include "kernels/host_targets.h"

namespace residual::tools {

namespace {

constexpr int kRounds = 7;

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <class Host>
double fma_gflops_of() {
    constexpr int64_t kRepeats = 20'000'000;
    double best = 0;
    float value = 0.5f;
    for (int round = 0; round < kRounds; ++round) {
        const auto start = std::chrono::steady_clock::now();
        const double operations = kernels::multiply_add_rounds(Host{}, kRepeats, &value);
        best = std::max(best, operations / seconds_since(start) * 1e-9);
    }
    return best;
}

}  // namespace

double fma_gflops() {
    double (*of_fastest)() = nullptr;
    kernels::for_each_host([&]<class Host>(Host) { of_fastest = fma_gflops_of<Host>; });
    return of_fastest();
}

double copy_gb_per_s() {
    const auto elements = int64_t{1} << 28;  // 1 GiB each
    std::vector<float> from(elements, 1.0f), to(elements, 0.0f);
    double best = 0;
    for (int round = 0; round < kRounds; ++round) {
        const auto start = std::chrono::steady_clock::now();
#pragma omp parallel for simd schedule(static)
        for (int64_t i = 0; i < elements; ++i) to[i] = from[i];
        best = std::max(best, 2.0 * sizeof(float) * static_cast<double>(elements) / seconds_since(start) * 1e-9);
        std::swap(from, to);
    }
    return best;
}

}  // namespace residual::tools
