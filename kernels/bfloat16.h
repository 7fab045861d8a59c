#pragma once

#include <bit>
#include <cstdint>

#include "kernels/common.h"

namespace residual::kernels {

RESIDUAL_HD inline uint32_t float_bits(float value) {
#if defined(__CUDA_ARCH__)
    return __float_as_uint(value);
#else
    return std::bit_cast<uint32_t>(value);
#endif
}

RESIDUAL_HD inline float float_from_bits(uint32_t bits) {
#if defined(__CUDA_ARCH__)
    return __uint_as_float(bits);
#else
    return std::bit_cast<float>(bits);
#endif
}

// Rounds to nearest, ties to even. A NaN with any payload becomes a quiet NaN.
RESIDUAL_HD inline uint16_t bfloat16_bits(float value) {
    const uint32_t word = float_bits(value);
    const uint32_t rounded = (word + 0x7fffu + ((word >> 16) & 1u)) >> 16;
    const uint32_t quiet_nan = (word >> 16) | 0x40u;
    return static_cast<uint16_t>((word & 0x7fffffffu) > 0x7f800000u ? quiet_nan : rounded);
}

// The upper half of a float32: 8 bits of exponent, 7 of mantissa. For storage only; arithmetic is done in float.
struct bfloat16 {
    uint16_t bits;

    bfloat16() = default;

    RESIDUAL_HD explicit bfloat16(float value) : bits(bfloat16_bits(value)) {}

    RESIDUAL_HD explicit operator float() const { return float_from_bits(static_cast<uint32_t>(bits) << 16); }
};

static_assert(sizeof(bfloat16) == 2);

RESIDUAL_HD inline float to_float(const float& value) {
    return value;
}
RESIDUAL_HD inline float to_float(const bfloat16& value) {
    return static_cast<float>(value);
}

// target = value, rounded to the target's type. Unlike an assignment it creates no temporary bfloat16, which would keep
// GCC from vectorising the loop.
RESIDUAL_HD inline void store(float& target, float value) {
    target = value;
}
RESIDUAL_HD inline void store(bfloat16& target, float value) {
    target.bits = bfloat16_bits(value);
}

template <class T>
RESIDUAL_HD inline T from_float(float value) {
    return static_cast<T>(value);
}

}  // namespace residual::kernels
