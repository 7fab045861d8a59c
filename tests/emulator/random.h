// The random generator of the scheduler: xorshift64*, the same sequence for the same seed on every machine.
#pragma once

#include <cstdint>

namespace emulator {

class Random {
  public:
    explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u) {
        if (state_ == 0) state_ = 1;
        for (int i = 0; i < 4; ++i) below(1);  // decorrelates neighbouring seeds
    }

    // Uniform in [0, limit) for practical limits.
    uint32_t below(uint32_t limit) {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        const uint64_t word = (state_ * 0x2545f4914f6cdd1du) >> 32;
        return static_cast<uint32_t>(word * limit >> 32);
    }

  private:
    uint64_t state_;
};

}  // namespace emulator
