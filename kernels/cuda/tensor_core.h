// Wrappers of PTX instructions without a CUDA C++ intrinsic, and their operands' layouts. All 32 lanes of a warp must
// call the matrix functions together. Source: the PTX manual, "Warp-level matrix instructions" and "Asynchronous copy".
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace residual::kernels {

// 16x16 bfloat16, row-major: a lane holds, with g = lane / 4 and t = lane % 4, the pairs (row, column) .. column + 1 of
// (g, 2t), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t + 8).
struct FragmentA {
    uint32_t r[4];
};
// 16x8 bfloat16, rows k and columns n: the pairs (k, n), (k + 1, n) of (2t, g) and (2t + 8, g).
struct FragmentB {
    uint32_t r[2];
};
// 16x8 float32: (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1).
struct Accumulator {
    float v[4];
};

__device__ inline uint32_t shared_address(const void* pointer) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// Four 8x8 matrices of bfloat16 from shared memory: lanes 8i .. 8i + 7 pass the addresses, aligned to 16 bytes, of the
// rows of matrix i, and register i of a lane receives its elements (g, 2t), (g, 2t + 1).
__device__ inline void load_matrices(uint32_t (&r)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
}

// load_matrices with each matrix transposed: register i receives (2t, g), (2t + 1, g).
__device__ inline void load_matrices_transposed(uint32_t (&r)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
}

// d += a * b, products of bfloat16 summed in float32.
__device__ inline void multiply_add(Accumulator& d, const FragmentA& a, const FragmentB& b) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d.v[0]), "+f"(d.v[1]), "+f"(d.v[2]), "+f"(d.v[3])
        : "r"(a.r[0]), "r"(a.r[1]), "r"(a.r[2]), "r"(a.r[3]), "r"(b.r[0]), "r"(b.r[1]));
}

// Starts a copy of 16 bytes, aligned to 16 on both sides, from global to shared memory, bypassing the L1 cache.
__device__ inline void copy_async(void* shared, const void* global) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared_address(shared)), "l"(global) : "memory");
}
// Waits until the copies that this thread started are visible to it; other threads see them after the next barrier.
__device__ inline void wait_for_copies() {
    asm volatile("cp.async.wait_all;" ::: "memory");
}

}  // namespace residual::kernels
