#pragma once

#include <cstdint>

namespace kernels {

// Below this many elements a loop stays on one thread: waking the others takes longer.
inline constexpr int64_t kParallelElements = 1 << 14;

}  // namespace kernels
