#include "kernels/fma_peak.h"

#include "kernels/host/target.h"

namespace residual::kernels {
namespace {

// The floats of the widest vector register.
#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
using Vector = float __attribute__((vector_size(kLanes * sizeof(float))));

// Independent chains of multiply-adds, enough to hide their latency on two units.
constexpr int kChains = 12;

float chains(int64_t repeats, float factor) {
    Vector sums[kChains];
    // The compiler does not know the initial values, so that it can neither merge chains nor evaluate one.
    for (int chain = 0; chain < kChains; ++chain) sums[chain] = Vector{} + factor * static_cast<float>(chain);
    const Vector scale = Vector{} + factor;
    const Vector offset = Vector{} + 1.0f;
    for (int64_t i = 0; i < repeats; ++i) {
        for (Vector& sum : sums) sum = sum * scale + offset;
    }
    Vector total{};
    for (const Vector& sum : sums) total += sum;
    return total[0];
}

}  // namespace

template <class Exec>
double multiply_add_rounds(const Exec&, int64_t repeats, float* value) {
    const float factor = *value;
    double operations = 0.0;
    float result = 0.0f;
#pragma omp parallel reduction(+ : operations, result)
    {
        result += chains(repeats, factor);
        operations += 2.0 * kLanes * kChains * static_cast<double>(repeats);
    }
    *value = result > 1e30f ? 0.25f : 0.5f;
    return operations;
}

template double multiply_add_rounds(const Target&, int64_t, float*);

}  // namespace residual::kernels
