// The CUDA extensions that .cu files may use, for a C++ compiler. Included before the first line of each file, as nvcc
// includes cuda_runtime.h. Anything not declared here fails to compile.
#pragma once

#include <cuda_runtime.h>

#include <concepts>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tests/emulator/block.h"
#include "tests/emulator/exchange.h"
#include "tests/emulator/warp.h"

// Only a hint to nvcc.
#undef __launch_bounds__
#define __launch_bounds__(...)

#undef __shared__
#define __shared__ static_assert(false, "shared memory is dynamic only: kernels::dynamic_shared()");
#undef __constant__
#define __constant__ static_assert(false, "the emulator has no constant memory");
#undef __managed__
#define __managed__ static_assert(false, "the emulator has no managed memory");

inline const uint3& threadIdx = emulator::coordinates.thread;
inline const uint3& blockIdx = emulator::coordinates.block;
inline const dim3& blockDim = emulator::coordinates.block_size;
inline const dim3& gridDim = emulator::coordinates.grid_size;
inline constexpr int warpSize = emulator::kWarp;

// Block-wide barriers.
inline void __syncthreads(emulator::Place place = emulator::Place::current()) {
    emulator::Block::current().sync_block("__syncthreads", place, nullptr, [](const emulator::Operands&) {});
}
inline int __syncthreads_count(int predicate, emulator::Place place = emulator::Place::current()) {
    return emulator::vote_block("__syncthreads_count", place, predicate);
}
inline int __syncthreads_or(int predicate, emulator::Place place = emulator::Place::current()) {
    return emulator::vote_block("__syncthreads_or", place, predicate) != 0 ? 1 : 0;
}
inline int __syncthreads_and(int predicate, emulator::Place place = emulator::Place::current()) {
    return emulator::vote_block("__syncthreads_and", place, predicate == 0) == 0 ? 1 : 0;
}

// Warp-wide operations on the lanes in the mask.
inline void __syncwarp(uint32_t mask = ~0u, emulator::Place place = emulator::Place::current()) {
    emulator::Block::current().sync_warp("__syncwarp", place, mask, nullptr, [](const emulator::Operands&) {});
}
inline uint32_t __ballot_sync(uint32_t mask, int predicate, emulator::Place place = emulator::Place::current()) {
    return emulator::ballot("__ballot_sync", place, mask, predicate);
}
inline int __any_sync(uint32_t mask, int predicate, emulator::Place place = emulator::Place::current()) {
    return emulator::ballot("__any_sync", place, mask, predicate) != 0 ? 1 : 0;
}
inline int __all_sync(uint32_t mask, int predicate, emulator::Place place = emulator::Place::current()) {
    return emulator::ballot("__all_sync", place, mask, predicate == 0) == 0 ? 1 : 0;
}

template <class T>
concept Shuffled = (std::integral<T> || std::floating_point<T>)&&(sizeof(T) == 4 || sizeof(T) == 8);

template <Shuffled T>
T __shfl_sync(uint32_t mask, T value, int source, int width = warpSize,
              emulator::Place place = emulator::Place::current()) {
    return emulator::shuffle("__shfl_sync", place, mask, value, width,
                             [=](int lane, int first) { return first + (source & (width - 1)) + 0 * lane; });
}
template <Shuffled T>
T __shfl_up_sync(uint32_t mask, T value, unsigned delta, int width = warpSize,
                 emulator::Place place = emulator::Place::current()) {
    return emulator::shuffle("__shfl_up_sync", place, mask, value, width, [=](int lane, int first) {
        const int source = lane - static_cast<int>(delta);
        return source < first ? lane : source;
    });
}
template <Shuffled T>
T __shfl_down_sync(uint32_t mask, T value, unsigned delta, int width = warpSize,
                   emulator::Place place = emulator::Place::current()) {
    return emulator::shuffle("__shfl_down_sync", place, mask, value, width, [=](int lane, int first) {
        const int source = lane + static_cast<int>(delta);
        return source >= first + width ? lane : source;
    });
}
template <Shuffled T>
T __shfl_xor_sync(uint32_t mask, T value, int lane_mask, int width = warpSize,
                  emulator::Place place = emulator::Place::current()) {
    return emulator::shuffle("__shfl_xor_sync", place, mask, value, width, [=](int lane, int first) {
        const int source = lane ^ lane_mask;
        return source >= first + width ? lane : source;
    });
}

// Only for types that CUDA supports.
template <class T>
concept AtomicInteger = std::same_as<T, int> || std::same_as<T, unsigned> || std::same_as<T, unsigned long long>;

template <AtomicInteger T>
T atomicAdd(T* target, std::type_identity_t<T> value) {
    using Unsigned = std::make_unsigned_t<T>;  // signed overflow wraps around
    return emulator::atomic(
        target, [=](T old) { return static_cast<T>(static_cast<Unsigned>(old) + static_cast<Unsigned>(value)); });
}
// Deleted: the result would depend on the order of the additions.
void atomicAdd(float*, float) = delete;
void atomicAdd(double*, double) = delete;

template <AtomicInteger T>
T atomicMax(T* target, std::type_identity_t<T> value) {
    return emulator::atomic(target, [=](T old) { return value > old ? value : old; });
}
template <AtomicInteger T>
T atomicMin(T* target, std::type_identity_t<T> value) {
    return emulator::atomic(target, [=](T old) { return value < old ? value : old; });
}
template <AtomicInteger T>
T atomicExch(T* target, std::type_identity_t<T> value) {
    return emulator::atomic(target, [=](T) { return value; });
}
template <AtomicInteger T>
T atomicCAS(T* target, std::type_identity_t<T> compare, std::type_identity_t<T> value) {
    return emulator::atomic(target, [=](T old) { return old == compare ? value : old; });
}

inline void __threadfence() {
    emulator::Exchange::instance().fence();
}

template <class T>
concept CachedLoad =
    std::is_arithmetic_v<T> || std::same_as<T, int2> || std::same_as<T, int4> || std::same_as<T, uint2> ||
    std::same_as<T, uint4> || std::same_as<T, float2> || std::same_as<T, float4> || std::same_as<T, double2>;

template <CachedLoad T>
T __ldg(const T* source) {
    return *source;
}
// Stores and loads that bypass the L1 cache.
template <CachedLoad T>
void __stcg(T* target, std::type_identity_t<T> value, emulator::Place place = emulator::Place::current()) {
    emulator::store_published(place, target, value);
}
template <CachedLoad T>
T __ldcg(const T* source, emulator::Place place = emulator::Place::current()) {
    return emulator::load_published(place, source);
}

template <class T>
requires std::is_arithmetic_v<T> T min(T a, T b) {
    return b < a ? b : a;
}
template <class T>
requires std::is_arithmetic_v<T> T max(T a, T b) {
    return a < b ? b : a;
}

// nvcc's cuda_runtime.h has overloads for typed kernel pointers.
template <class... Params>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, void (*kernel)(Params...)) {
    return cudaFuncGetAttributes(attributes, reinterpret_cast<const void*>(kernel));
}
template <class... Params>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Params...), cudaFuncAttribute attribute, int value) {
    return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), attribute, value);
}
