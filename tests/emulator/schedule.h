// One run of a grid, under one schedule: blocks start in random order, and are paused at some of their atomics while
// others run.
#pragma once

#include <cstdint>
#include <string>

#include "tests/emulator/grid.h"
#include "tests/emulator/memory.h"

namespace emulator {

// Kernel, grid and block, for messages.
std::string describe(const Launch& launch);

// Returns whether blocks passed data to each other (exchange.h). With `before`, a copy of the memory, blocks do not see
// each other's ordinary stores.
bool run_schedule(const Launch& launch, uint64_t seed, const Memory::Snapshot* before = nullptr);

}  // namespace emulator
