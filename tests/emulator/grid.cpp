#include "tests/emulator/grid.h"

#include <cstdlib>
#include <string>

#include "tests/emulator/device_limits.h"
#include "tests/emulator/fault.h"
#include "tests/emulator/last_error.h"
#include "tests/emulator/memory.h"
#include "tests/emulator/schedule.h"
#include "tests/emulator/stream.h"
#include "tests/emulator/text.h"

namespace emulator {

namespace {

uint64_t number_from_environment(const char* name, uint64_t fallback) {
    const char* text = std::getenv(name);
    return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

// Several schedules all start from the same memory and must leave the same bits. If the kernel passes data from block
// to block, the second one hides ordinary stores from other blocks; one is enough, as this does not depend on chance.
void run(const Launch& launch) {
    static uint64_t launches = 0;
    const uint64_t schedules = number_from_environment("EMULATOR_SCHEDULES", 1);
    const uint64_t seed = number_from_environment("EMULATOR_SEED", 1) * 1000003 + launches++ * schedules;
    Memory& memory = Memory::instance();
    if (schedules <= 1) {
        run_schedule(launch, seed);
        return;
    }
    const Memory::Snapshot before = memory.copy();
    const bool passed_data = run_schedule(launch, seed);
    const Memory::Snapshot after = memory.copy();
    for (uint64_t schedule = 1; schedule < schedules; ++schedule) {
        memory.restore(before);
        run_schedule(launch, seed + schedule, passed_data && schedule == 1 ? &before : nullptr);
        const std::string where = memory.difference(after);
        if (!where.empty()) {
            throw Fault(describe(launch) + " depends on the schedule: seeds " + std::to_string(seed) + " and " +
                        std::to_string(seed + schedule) + " leave different bits at " + where);
        }
    }
}

// Checks the limits in the CUDA programming guide for this compute capability.
cudaError_t refusal(const Launch& launch) {
    const dim3 &grid = launch.grid, &block = launch.block;
    const uint64_t threads = uint64_t{block.x} * block.y * block.z;
    if (threads == 0 || threads > kMaxThreads) return cudaErrorInvalidConfiguration;
    if (block.x > kMaxThreads || block.y > kMaxThreads || block.z > kMaxBlockDepth) {
        return cudaErrorInvalidConfiguration;
    }
    if (grid.x == 0 || grid.y == 0 || grid.z == 0) return cudaErrorInvalidConfiguration;
    if (grid.x > kMaxGridWidth || grid.y > kMaxGridHeight || grid.z > kMaxGridHeight) {
        return cudaErrorInvalidConfiguration;
    }
    if (launch.shared_bytes > static_cast<size_t>(shared_limit_of(launch.kernel))) return cudaErrorInvalidValue;
    return cudaSuccess;
}

}  // namespace

cudaError_t launch(Launch launch, cudaStream_t stream) {
    if (const cudaError_t error = refusal(launch); error != cudaSuccess) return remember(error);
    std::string name = function_name(launch.kernel);
    return remember(submit(stream, {Kind::kKernel, std::move(name), [launch = std::move(launch)] { run(launch); }}));
}

}  // namespace emulator
