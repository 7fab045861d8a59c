// Shared by the fused convolution kernels: chunks of channels, batch norm on them, and opt-in shared memory.
#pragma once

#include <cuda_bf16.h>

#include <cstring>

#include "kernels/batch_norm_body.h"
#include "kernels/bn_relu_conv.h"
#include "kernels/cuda/launch.h"

namespace residual::kernels {

// Eight channels of a pixel, 16 bytes: the unit of loads and stores of activations.
inline constexpr int kChunk = 8;

struct alignas(16) Chunk {
    bfloat16 v[kChunk];
};

__device__ inline Chunk zero_chunk() {
    Chunk chunk;
    for (int i = 0; i < kChunk; ++i) chunk.v[i].bits = 0;
    return chunk;
}
__device__ inline Chunk load_chunk(const bfloat16* source) {
    return *reinterpret_cast<const Chunk*>(source);
}
__device__ inline void store_chunk(bfloat16* target, const Chunk& chunk) {
    *reinterpret_cast<Chunk*>(target) = chunk;
}

__device__ inline void to_floats(const Chunk& chunk, float (&values)[kChunk]) {
    uint32_t pairs[kChunk / 2];
    memcpy(pairs, &chunk, sizeof(chunk));
#pragma unroll
    for (int i = 0; i < kChunk / 2; ++i) {
        values[2 * i] = float_from_bits(pairs[i] << 16);
        values[2 * i + 1] = float_from_bits(pairs[i] & 0xffff0000u);
    }
}

// A pair is rounded by one instruction, where store() takes six per value. The results differ only in NaN payloads.
__device__ inline void store_pair(bfloat16* target, const __nv_bfloat162& pair) {
    const __nv_bfloat162_raw raw = pair;
    target[0].bits = raw.x;
    target[1].bits = raw.y;
}
__device__ inline Chunk round_chunk(const float (&values)[kChunk]) {
    Chunk chunk;
#pragma unroll
    for (int i = 0; i < kChunk; i += 2) store_pair(&chunk.v[i], __floats2bfloat162_rn(values[i], values[i + 1]));
    return chunk;
}

// Elements between pixels of C channels in shared memory: with C + 8, eight neighbours start in eight different groups
// of four banks, so that ldmatrix has no bank conflicts.
template <int C>
inline constexpr int kPitch = C + kChunk;

// The batch norm of a channel, in shared memory: p = max((x - mean) * scale + beta, 0).
struct BatchNormScale {
    float mean, scale, beta;
};

__device__ inline void load_batch_norm(const BatchNormInput& batch_norm, int channels, BatchNormScale* target) {
    for (int c = threadIdx.x; c < channels; c += blockDim.x) {
        target[c] = {batch_norm.mean[c],
                     batch_norm.gamma[c] * reciprocal_std(batch_norm.variance[c], batch_norm.epsilon),
                     batch_norm.beta[c]};
    }
}

// target[0] is for channel `first` of the tensor. To be called only if the moments have a gradient.
__device__ inline void load_moments_slope(const MomentsGradient& m, int first, int channels, int64_t rows,
                                          MomentsSlope* target) {
    for (int c = threadIdx.x; c < channels; c += blockDim.x) {
        const float dmean = m.dmean != nullptr ? m.dmean[first + c] : 0.0f;
        const float dvariance = m.dvariance != nullptr ? m.dvariance[first + c] : 0.0f;
        target[c] = moments_slope(m.mean[first + c], dmean, dvariance, rows);
    }
}

// Stores sum number i of [dgamma | dbeta], and the gradient of the moment that follows from it.
__device__ inline void store_batch_norm_sum(const BatchNormInput& batch_norm, const BatchNormGradients& out,
                                            int channels, int i, float sum) {
    const int c = i % channels;
    const float rstd = reciprocal_std(batch_norm.variance[c], batch_norm.epsilon), gamma = batch_norm.gamma[c];
    if (i < channels) {
        out.dgamma[c] = sum;
        if (out.dvariance != nullptr) out.dvariance[c] = variance_gradient(rstd, gamma, sum);
    } else {
        out.dbeta[c] = sum;
        if (out.dmean != nullptr) out.dmean[c] = mean_gradient(rstd, gamma, sum);
    }
}

__device__ inline Chunk normalise(const Chunk& x, const BatchNormScale* batch_norm) {
    const __nv_bfloat162 zero = __floats2bfloat162_rn(0.0f, 0.0f);
    float values[kChunk];
    to_floats(x, values);
#pragma unroll
    for (int i = 0; i < kChunk; ++i) {
        values[i] = normalised(values[i], batch_norm[i].mean, batch_norm[i].scale, batch_norm[i].beta);
    }
    Chunk p;
#pragma unroll
    for (int i = 0; i < kChunk; i += 2) {
        store_pair(&p.v[i], __hmax2_nan(__floats2bfloat162_rn(values[i], values[i + 1]), zero));
    }
    return p;
}

__device__ inline Chunk whole_gradient(const Chunk& dy, const Chunk& y, const MomentsSlope* slope) {
    float whole[kChunk], values[kChunk];
    to_floats(dy, whole);
    to_floats(y, values);
#pragma unroll
    for (int i = 0; i < kChunk; ++i) {
        whole[i] += moments_gradient_value(values[i], slope[i]);
    }
    return round_chunk(whole);
}

// Opts the kernel in to `bytes` of dynamic shared memory, once per kernel. To be called before its launch.
template <auto kernel>
void allow_shared_bytes(size_t bytes) {
    constexpr size_t kDefaultLimit = 48 * 1024;
    if (bytes <= kDefaultLimit) return;
    [[maybe_unused]] static const bool allowed = [bytes] {
        const void* function = reinterpret_cast<const void*>(kernel);
        const cudaError_t error =
            cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
        if (error != cudaSuccess) throw_launch_error(function, 0, 0, bytes, error);
        return true;
    }();
}

}  // namespace residual::kernels
