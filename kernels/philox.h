#pragma once

#include <cstdint>

#include "kernels/common.h"

namespace residual::kernels {

// Philox4x32-10, a counter-based random generator: four random words are a pure function of a counter and a key.
// J. Salmon, M. Moraes, R. Dror, D. Shaw: Parallel Random Numbers: As Easy as 1, 2, 3. SC'11.

struct Philox4 {
    uint32_t v[4];
};

struct PhiloxKey {
    uint32_t v[2];
};

// The last word of the counter, so that no two uses share a stream.
enum class RandomPurpose : uint32_t { kInit = 1, kShuffle = 2, kAugment = 3 };

RESIDUAL_HD inline uint32_t low_word(uint64_t value) {
    return static_cast<uint32_t>(value);
}
RESIDUAL_HD inline uint32_t high_word(uint64_t value) {
    return static_cast<uint32_t>(value >> 32);
}

RESIDUAL_HD inline PhiloxKey philox_key(uint64_t seed) {
    return {{low_word(seed), high_word(seed)}};
}

// The upper 32 bits of a * b: a random word a becomes an integer uniform in 0 .. b-1 (to within b / 2^32).
RESIDUAL_HD inline uint32_t multiply_high(uint32_t a, uint32_t b) {
    return high_word(static_cast<uint64_t>(a) * b);
}

RESIDUAL_HD inline Philox4 philox4x32_10(Philox4 counter, PhiloxKey key) {
    constexpr uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
    constexpr uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;
    for (int round = 0; round < 10; ++round) {
        const uint64_t product0 = static_cast<uint64_t>(kMultiplier0) * counter.v[0];
        const uint64_t product1 = static_cast<uint64_t>(kMultiplier1) * counter.v[2];
        counter = {{high_word(product1) ^ counter.v[1] ^ key.v[0], low_word(product1),
                    high_word(product0) ^ counter.v[3] ^ key.v[1], low_word(product0)}};
        key.v[0] += kWeyl0;
        key.v[1] += kWeyl1;
    }
    return counter;
}

}  // namespace residual::kernels
