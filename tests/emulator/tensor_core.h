// The instructions of kernels/cuda/tensor_core.h.
#pragma once

#include <cstdint>

#include "tests/emulator/block.h"

namespace emulator {

// ldmatrix .m8n8.x4 [.trans] .b16
void load_matrices(const char* name, const Place& place, uint32_t (&r)[4], const void* row, bool transposed);
// mma .m16n8k16 .row.col .f32.bf16.bf16.f32, d += a * b
void multiply_add(const Place& place, float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
// cp.async .cg .shared.global, 16 bytes. Until the wait the target holds poison, neither its old bytes nor the new
// ones.
void copy_async(const Place& place, void* shared, const void* global);
// cp.async.wait_all
void wait_for_copies();

}  // namespace emulator
