#include "tests/emulator/grid.h"

#include <cstdlib>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/block.h"
#include "tests/emulator/device_limits.h"
#include "tests/emulator/fault.h"
#include "tests/emulator/last_error.h"
#include "tests/emulator/memory.h"
#include "tests/emulator/random.h"
#include "tests/emulator/stream.h"
#include "tests/emulator/text.h"

namespace emulator {

namespace {

// The only alignment of shared memory that kernels may rely on.
constexpr size_t kSharedAlignment = 16;

const GuardedBlock* shared = nullptr;

uint64_t number_from_environment(const char* name, uint64_t fallback) {
    const char* text = std::getenv(name);
    return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

std::string size_text(const dim3& size) {
    return std::to_string(size.x) + "x" + std::to_string(size.y) + "x" + std::to_string(size.z);
}

std::string describe(const Launch& launch) {
    return function_name(launch.kernel) + " <" + size_text(launch.grid) + " blocks of " + size_text(launch.block) +
           " threads>";
}

void run_once(const Launch& launch, uint64_t seed) {
    Random random(seed);
    const uint64_t blocks = uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
    std::vector<uint32_t> order(blocks);
    std::iota(order.begin(), order.end(), 0u);
    const GuardedBlock memory(launch.shared_bytes, kSharedAlignment);
    shared = &memory;
    coordinates.block_size = launch.block;
    coordinates.grid_size = launch.grid;
    for (uint32_t left = static_cast<uint32_t>(blocks); left > 0; --left) {
        std::swap(order[random.below(left)], order[left - 1]);
        const uint32_t block = order[left - 1];
        coordinates.block = {block % launch.grid.x, block / launch.grid.x % launch.grid.y,
                             block / launch.grid.x / launch.grid.y};
        memory.poison();
        try {
            Block::current().run(launch.block, launch.thread, random);
            if (!memory.intact()) throw Fault("write out of bounds of shared memory");
        } catch (const Fault& fault) {
            shared = nullptr;
            throw Fault(describe(launch) + ", block " + text(coordinates.block) + ", seed " + std::to_string(seed) +
                        ": " + fault.what());
        }
    }
    shared = nullptr;
}

// Several schedules all start from the same memory and must leave the same bits.
void run(const Launch& launch) {
    static uint64_t launches = 0;
    const uint64_t schedules = number_from_environment("EMULATOR_SCHEDULES", 1);
    const uint64_t seed = number_from_environment("EMULATOR_SEED", 1) * 1000003 + launches++ * schedules;
    Memory& memory = Memory::instance();
    if (schedules <= 1) {
        run_once(launch, seed);
        return;
    }
    const Memory::Snapshot before = memory.copy();
    run_once(launch, seed);
    const Memory::Snapshot after = memory.copy();
    for (uint64_t schedule = 1; schedule < schedules; ++schedule) {
        memory.restore(before);
        run_once(launch, seed + schedule);
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

unsigned char* shared_memory() {
    if (shared == nullptr) throw Fault("shared memory is used outside a kernel");
    return shared->data();
}

bool in_shared_memory(const void* pointer, size_t bytes) {
    if (shared == nullptr) return false;
    const auto begin = reinterpret_cast<uintptr_t>(shared->data()), address = reinterpret_cast<uintptr_t>(pointer);
    return address >= begin && address - begin <= shared->bytes() && bytes <= shared->bytes() - (address - begin);
}

}  // namespace emulator
