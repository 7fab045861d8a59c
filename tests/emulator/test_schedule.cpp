// Synchronisation faults between threads and between blocks: each faulty kernel is detected, each correct one passes.
#include "tests/emulator/fixture.h"

using namespace emulator_test;
using residual::kernels::dynamic_shared;
using residual::kernels::launch;

namespace {

constexpr int kThreads = 64;

// out[i] = in[(i + 1) % n], through shared memory.
template <bool Barrier>
__global__ void pass_on(const int* in, int* out) {
    int* slots = dynamic_shared<int>();
    slots[threadIdx.x] = in[threadIdx.x];
    if constexpr (Barrier) __syncthreads();
    out[threadIdx.x] = slots[(threadIdx.x + 1) % blockDim.x];
}

// out[i] = in[(i + 2) % n]: the second write must wait for the first reads.
template <bool Barrier>
__global__ void pass_on_twice(const int* in, int* out) {
    int* slots = dynamic_shared<int>();
    slots[threadIdx.x] = in[threadIdx.x];
    __syncthreads();
    const int first = slots[(threadIdx.x + 1) % blockDim.x];
    if constexpr (Barrier) __syncthreads();
    slots[threadIdx.x] = first;
    __syncthreads();
    out[threadIdx.x] = slots[(threadIdx.x + 1) % blockDim.x];
}

template <bool Barrier>
__global__ void pass_on_in_warp(const int* in, int* out) {
    int* slots = dynamic_shared<int>();
    slots[threadIdx.x] = in[threadIdx.x];
    if constexpr (Barrier) __syncwarp();
    out[threadIdx.x] = slots[threadIdx.x ^ 1];
}

__global__ void last_block_wins(int* out) {
    if (threadIdx.x == 0) *out = static_cast<int>(blockIdx.x);
}
__global__ void sum_of_blocks(int* out) {
    if (threadIdx.x == 0) atomicAdd(out, static_cast<int>(blockIdx.x));
}
__global__ void first_come(int* tickets, int* out) {
    if (threadIdx.x == 0) out[blockIdx.x] = atomicAdd(tickets, 1);
}

__global__ void divergent_barrier(int* out) {
    if (threadIdx.x < 32) __syncthreads();
    out[threadIdx.x] = 0;
}
__global__ void two_barriers(int* out) {
    if (threadIdx.x < 32) {
        __syncthreads();
    } else {
        __syncthreads();
    }
    out[threadIdx.x] = 0;
}
__global__ void half_warp_votes(int* out) {
    out[threadIdx.x] = threadIdx.x < 16 ? __any_sync(~0u, 1) : 0;
}
__global__ void lane_outside_mask_votes(int* out) {
    out[threadIdx.x] = __any_sync(0xffffu, 1);
}
__global__ void reads_absent_lane(int* out) {
    if (threadIdx.x < 16) out[threadIdx.x] = __shfl_sync(0xffffu, 1, 20);
}
__global__ void odd_width(int* out) {
    out[threadIdx.x] = __shfl_sync(~0u, 1, 0, 24);
}
__global__ void throws_after_barrier(int* out) {
    __syncthreads();
    if (threadIdx.x == 7) throw emulator::Fault("thread 7 fails");
    __syncthreads();
    out[threadIdx.x] = 0;
}

std::vector<int> numbers(int n) {
    std::vector<int> values(n);
    for (int i = 0; i < n; ++i) values[i] = i;
    return values;
}

template <class Kernel>
std::string fault_when_passing_on(Kernel kernel) {
    const ScopedEnvironment schedules("EMULATOR_SCHEDULES", "8");
    const Array<int> in(numbers(kThreads)), out(kThreads);
    return fault_of([&] { launch(kernel, 1, kThreads, kThreads * sizeof(int), nullptr, in.data(), out.data()); });
}

template <class Kernel>
std::string fault_with_output(Kernel kernel, int blocks = 1) {
    const ScopedEnvironment schedules("EMULATOR_SCHEDULES", "8");
    const Array<int> out(std::vector<int>(kThreads, 0));
    return fault_of([&] { launch(kernel, blocks, kThreads, 0, nullptr, out.data()); });
}

}  // namespace

TEST_CASE("a missing __syncthreads is detected between write and read, and between read and write") {
    CHECK(fault_when_passing_on(pass_on<true>) == "");
    CHECK_THAT(fault_when_passing_on(pass_on<false>), ContainsSubstring("depends on the schedule"));
    CHECK(fault_when_passing_on(pass_on_twice<true>) == "");
    CHECK_THAT(fault_when_passing_on(pass_on_twice<false>), ContainsSubstring("depends on the schedule"));
}

TEST_CASE("a missing __syncwarp is detected") {
    CHECK(fault_when_passing_on(pass_on_in_warp<true>) == "");
    CHECK_THAT(fault_when_passing_on(pass_on_in_warp<false>), ContainsSubstring("depends on the schedule"));
}

TEST_CASE("a result that depends on the order of blocks is detected; an integer sum passes") {
    CHECK(fault_with_output(sum_of_blocks, 16) == "");
    CHECK_THAT(fault_with_output(last_block_wins, 16), ContainsSubstring("depends on the schedule"));
    const ScopedEnvironment schedules("EMULATOR_SCHEDULES", "8");
    const Array<int> tickets(std::vector<int>{0}), out(16);
    CHECK_THAT(fault_of([&] { launch(first_come, 16, kThreads, 0, nullptr, tickets.data(), out.data()); }),
               ContainsSubstring("depends on the schedule"));
}

TEST_CASE("the message names the kernel, the seeds and the place in memory") {
    const std::string fault = fault_with_output(last_block_wins, 16);
    CHECK_THAT(fault, ContainsSubstring("last_block_wins"));
    CHECK_THAT(fault, ContainsSubstring("<16x1x1 blocks of 64x1x1 threads>"));
    CHECK_THAT(fault, ContainsSubstring("seeds "));
    CHECK_THAT(fault, ContainsSubstring("byte 0 of allocation"));
}

TEST_CASE("a barrier that some threads never reach is reported as a deadlock") {
    const std::string fault = fault_with_output(divergent_barrier);
    CHECK_THAT(fault, ContainsSubstring("divergent_barrier"));
    CHECK_THAT(fault, ContainsSubstring("block (0, 0, 0)"));
    CHECK_THAT(fault, ContainsSubstring("32 threads, (0, 0, 0) to (31, 0, 0), in __syncthreads at"));
    CHECK_THAT(fault, ContainsSubstring("test_schedule.cpp:"));
    CHECK_THAT(fault, ContainsSubstring("32 of 64 threads have returned"));
}

TEST_CASE("barriers in two branches do not match each other") {
    const std::string fault = fault_with_output(two_barriers);
    CHECK_THAT(fault, ContainsSubstring("(0, 0, 0) to (31, 0, 0)"));
    CHECK_THAT(fault, ContainsSubstring("(32, 0, 0) to (63, 0, 0)"));
}

TEST_CASE("warp operations with missing lanes or a wrong mask are reported") {
    CHECK_THAT(fault_with_output(half_warp_votes), ContainsSubstring("__any_sync with mask 0xffffffff"));
    CHECK_THAT(fault_with_output(lane_outside_mask_votes), ContainsSubstring("does not contain the lane itself"));
    CHECK_THAT(fault_with_output(reads_absent_lane), ContainsSubstring("reads from lane 20"));
    CHECK_THAT(fault_with_output(odd_width), ContainsSubstring("a width of 24"));
    const Array<int> out(16);
    CHECK_THAT(fault_of([&] { launch(half_warp_votes, 1, 16, 0, nullptr, out.data()); }),
               ContainsSubstring("lanes that the block does not have"));
}

TEST_CASE("a fault in the middle of a block does not affect the next launch") {
    for (int i = 0; i < 3; ++i) {
        CHECK_THAT(fault_with_output(throws_after_barrier), ContainsSubstring("thread 7 fails"));
        CHECK_THAT(fault_with_output(divergent_barrier), ContainsSubstring("deadlock"));
        CHECK(fault_when_passing_on(pass_on<true>) == "");
    }
}
