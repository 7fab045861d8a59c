#include "tools/bench/host_peaks.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

namespace residual::tools {

namespace {

constexpr int kRounds = 7;

// The floats of the widest vector register that the compiler may use.
#if defined(__AVX512F__)
constexpr int kLanes = 16;
#else
constexpr int kLanes = 8;
#endif
using Vector = float __attribute__((vector_size(kLanes * sizeof(float))));

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Independent chains of multiply-adds, enough to hide their latency on two units.
constexpr int kChains = 12;

Vector multiply_add_chains(int64_t repeats, float factor) {
    std::array<Vector, kChains> sums;
    // The compiler does not know the initial values, so that it can neither merge chains nor evaluate one.
    for (int chain = 0; chain < kChains; ++chain) sums[chain] = Vector{} + factor * static_cast<float>(chain);
    const Vector scale = Vector{} + factor;
    const Vector offset = Vector{} + 1.0f;
    for (int64_t i = 0; i < repeats; ++i) {
        for (Vector& sum : sums) sum = sum * scale + offset;
    }
    Vector total{};
    for (const Vector& sum : sums) total += sum;
    return total;
}

}  // namespace

double fma_gflops() {
    constexpr int64_t kRepeats = 20'000'000;
    double best = 0;
    // Every round reads and writes it, so that the compiler cannot skip one.
    volatile float sink = 0.5f;
    for (int round = 0; round < kRounds; ++round) {
        const auto start = std::chrono::steady_clock::now();
#pragma omp parallel
        {
            const Vector total = multiply_add_chains(kRepeats, sink);
#pragma omp critical
            sink = total[0] > 1e30f ? 0.25f : 0.5f;
        }
        const double operations = 2.0 * kLanes * kChains * kRepeats * omp_get_max_threads();
        best = std::max(best, operations / seconds_since(start) * 1e-9);
    }
    return best;
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
