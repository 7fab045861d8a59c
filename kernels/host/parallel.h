#pragma once

#include <cstdint>

namespace residual::kernels {

// Below this many elements a loop stays on one thread: waking the others takes longer.
inline constexpr int64_t kParallelElements = 1 << 14;

}  // namespace residual::kernels
