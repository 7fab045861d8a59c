#pragma once

#include <cstdint>

namespace residual::kernels {

// Memory that sums over the blocks of a grid go through. `floats`, aligned to 16 bytes, is of no interest before and
// after; the tickets are kTickets zeros before and after, so that kernels on one stream share them. On the host nobody
// reads the tickets.
inline constexpr int kTickets = 1024;
struct SumScratch {
    float* floats;
    uint32_t* tickets;
};

}  // namespace residual::kernels
