#pragma once

#include <cstdint>

namespace residual::kernels {

// Up to this many elements a loop runs on one thread, because waking the others would take longer.
inline constexpr int64_t kParallelElements = 1 << 14;

}  // namespace residual::kernels
