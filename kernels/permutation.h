#pragma once

#include <cstdint>

#include "kernels/common.h"
#include "kernels/philox.h"

namespace residual::kernels {

// The i-th element of a pseudo-random permutation of 0 .. n-1, chosen by (seed, epoch); 0 <= i < n, n >= 1.
// Stateless, without a table: any thread can compute its own sample of any epoch. A balanced Feistel network (eight
// rounds, Philox as round function) permutes 0 .. 4^k - 1 for the smallest 4^k >= n; a value >= n is permuted again
// (cycle walking: J. Black, P. Rogaway: Ciphers with Arbitrary Finite Domains, CT-RSA 2002), fewer than four times on
// average.
RESIDUAL_HD inline uint32_t permuted(uint64_t seed, uint64_t epoch, uint32_t i, uint32_t n) {
    constexpr uint32_t kRounds = 8;
    uint32_t half_bits = 1;
    while (half_bits < 16 && (uint64_t{1} << (2 * half_bits)) < n) ++half_bits;
    const uint32_t half_mask = (uint32_t{1} << half_bits) - 1;
    const PhiloxKey key = philox_key(seed);
    uint32_t value = i;
    do {
        uint32_t left = value >> half_bits;
        uint32_t right = value & half_mask;
        for (uint32_t round = 0; round < kRounds; ++round) {
            const Philox4 counter = {{right | (round << 16), low_word(epoch), high_word(epoch),
                                      static_cast<uint32_t>(RandomPurpose::kShuffle)}};
            const uint32_t mixed = left ^ (philox4x32_10(counter, key).v[0] & half_mask);
            left = right;
            right = mixed;
        }
        value = (left << half_bits) | right;
    } while (value >= n);
    return value;
}

}  // namespace residual::kernels
