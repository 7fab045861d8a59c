#include "kernels/optimizer.h"

#include "kernels/cuda/block_reduce.h"
#include "kernels/cuda/grid.h"
#include "kernels/cuda/last_block.h"
#include "kernels/optimizer_body.h"

namespace residual::kernels {
namespace {

constexpr int kQuad = 4;  // elements per load and store
struct alignas(16) Quad {
    float v[kQuad];
};
struct alignas(8) RoundedQuad {
    bfloat16 v[kQuad];
};

// Enough to saturate memory; few enough that the last block can add their partial sums, two per thread.
constexpr int64_t kMaxSumBlocks = 512;

unsigned sgd_blocks(int64_t n) {
    const int64_t per_block = int64_t{kBlockThreads} * kQuad;
    return static_cast<unsigned>(std::clamp((n + per_block - 1) / per_block, int64_t{1}, kMaxSumBlocks));
}

bool aligned(const void* pointer, size_t bytes) {
    return reinterpret_cast<uintptr_t>(pointer) % bytes == 0;
}

struct Sgd {
    SgdShape shape;
    Schedule schedule;
    int64_t* step;
    const float* gradient;
    float *velocity, *weight;
    bfloat16* copy;
    Metrics* totals;
    double* partial;  // [blocks]
    uint32_t* ticket;
};

// Updates element i; returns its square for the penalty and adds the new weight's finite_check to checks.
__device__ double update(const Sgd& p, float rate, int64_t i, float& checks) {
    const bool decays = i < p.shape.decayed;
    float w = p.weight[i], v = p.velocity[i];
    const double square = decays ? static_cast<double>(w) * w : 0.0;
    sgd_momentum_value(rate, p.shape.momentum, decays ? p.shape.weight_decay : 0.0f, p.shape.nesterov, p.gradient[i], v,
                       w);
    checks += finite_check(w);
    p.velocity[i] = v;
    p.weight[i] = w;
    if (p.copy != nullptr) store(p.copy[i], w);
    return square;
}

// update() of the aligned elements i .. i + 3.
__device__ double update_quad(const Sgd& p, float rate, int64_t i, float& checks) {
    const Quad g = *reinterpret_cast<const Quad*>(p.gradient + i);
    Quad v = *reinterpret_cast<const Quad*>(p.velocity + i);
    Quad w = *reinterpret_cast<const Quad*>(p.weight + i);
    RoundedQuad rounded;
    double squares = 0.0;
    for (int k = 0; k < kQuad; ++k) {
        const bool decays = i + k < p.shape.decayed;
        if (decays) squares += static_cast<double>(w.v[k]) * w.v[k];
        sgd_momentum_value(rate, p.shape.momentum, decays ? p.shape.weight_decay : 0.0f, p.shape.nesterov, g.v[k],
                           v.v[k], w.v[k]);
        checks += finite_check(w.v[k]);
        store(rounded.v[k], w.v[k]);
    }
    *reinterpret_cast<Quad*>(p.velocity + i) = v;
    *reinterpret_cast<Quad*>(p.weight + i) = w;
    if (p.copy != nullptr) *reinterpret_cast<RoundedQuad*>(p.copy + i) = rounded;
    return squares;
}

// The last block to finish adds up the partial sums and increments the step, which every block has read by then.
template <bool Quads>
__global__ void sgd_momentum_kernel(Sgd p) {
    const float rate = rate_of(p.schedule, *p.step);
    double squares = 0.0;
    float checks = 0.0f;
    const int64_t quads = Quads ? p.shape.n / kQuad : 0;
    if constexpr (Quads) {
        for (int64_t i = first_element(); i < quads; i += grid_threads())
            squares += update_quad(p, rate, i * kQuad, checks);
    }
    for (int64_t i = quads * kQuad + first_element(); i < p.shape.n; i += grid_threads())
        squares += update(p, rate, i, checks);
    if (p.totals != nullptr) {
        squares = block_reduce(squares + checks, Plus{});
        if (threadIdx.x == 0) publish(&p.partial[blockIdx.x], squares);
    }
    if (!last_to_arrive(p.ticket, gridDim.x)) return;
    if (p.totals != nullptr) {
        double sum = 0.0;
        for (unsigned block = threadIdx.x; block < gridDim.x; block += blockDim.x) {
            sum += read_published(&p.partial[block]);
        }
        sum = block_reduce(sum, Plus{});
        if (threadIdx.x == 0) finish_update(sum, p.shape, *p.step + 1, p.totals);
    }
    if (threadIdx.x == 0) ++*p.step;
}

}  // namespace

template <class Exec>
size_t sgd_momentum_scratch_floats(const Exec&, const SgdShape& shape) {
    return sgd_blocks(shape.n) * (sizeof(double) / sizeof(float));
}

template <class Exec>
void sgd_momentum(const Exec& exec, const SgdShape& shape, const Schedule& schedule, int64_t* step,
                  const float* gradient, float* velocity, float* weight, bfloat16* copy, Metrics* totals,
                  const SumScratch& scratch) {
    const bool quads = aligned(gradient, sizeof(Quad)) && aligned(velocity, sizeof(Quad)) &&
                       aligned(weight, sizeof(Quad)) && aligned(copy, sizeof(RoundedQuad));
    launch(quads ? sgd_momentum_kernel<true> : sgd_momentum_kernel<false>, sgd_blocks(shape.n), kBlockThreads,
           kBlockThreads * sizeof(double), exec.stream,
           Sgd{shape, schedule, step, gradient, velocity, weight, copy, totals,
               reinterpret_cast<double*>(scratch.floats), scratch.tickets});
}

template size_t sgd_momentum_scratch_floats(const Cuda&, const SgdShape&);
template void sgd_momentum(const Cuda&, const SgdShape&, const Schedule&, int64_t*, const float*, float*, float*,
                           bfloat16*, Metrics*, const SumScratch&);

}  // namespace residual::kernels
