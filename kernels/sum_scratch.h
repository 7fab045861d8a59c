#pragma once

#include <cstdint>

namespace residual::kernels {

// Scratch for sums over the blocks of a grid. `floats`, aligned to 16 bytes, needs no initialisation. `tickets` holds
// kTickets zeros; each kernel leaves them zero again, so kernels on one stream can share them. Unused on the host.
inline constexpr int kTickets = 1024;
struct SumScratch {
    float* floats;
    uint32_t* tickets;
};

}  // namespace residual::kernels
