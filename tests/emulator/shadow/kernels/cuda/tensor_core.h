// Replaces kernels/cuda/tensor_core.h in the emulator's include path: the same functions, on the CPU, with the fragment
// layouts of the PTX manual.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "tests/emulator/block.h"
#include "tests/emulator/tensor_core.h"

namespace residual::kernels {

struct FragmentA {
    uint32_t r[4];
};
struct FragmentB {
    uint32_t r[2];
};
struct Accumulator {
    float v[4];
};

inline void load_matrices(uint32_t (&r)[4], const void* row, emulator::Place place = emulator::Place::current()) {
    emulator::load_matrices("ldmatrix", place, r, row, false);
}
inline void load_matrices_transposed(uint32_t (&r)[4], const void* row,
                                     emulator::Place place = emulator::Place::current()) {
    emulator::load_matrices("ldmatrix.trans", place, r, row, true);
}
inline void multiply_add(Accumulator& d, const FragmentA& a, const FragmentB& b,
                         emulator::Place place = emulator::Place::current()) {
    emulator::multiply_add(place, d.v, a.r, b.r);
}
inline void copy_async(void* shared, const void* global, emulator::Place place = emulator::Place::current()) {
    emulator::copy_async(place, shared, global);
}
inline void wait_for_copies() {
    emulator::wait_for_copies();
}

}  // namespace residual::kernels
