// Data that blocks pass to each other: each missing fence, barrier or L1 bypass is detected, and correct forms pass.
#include "kernels/cuda/last_block.h"
#include "tests/emulator/fixture.h"

using namespace emulator_test;
using residual::kernels::dynamic_shared;
using residual::kernels::last_to_arrive;
using residual::kernels::launch;
using residual::kernels::publish;
using residual::kernels::read_published;

namespace {

constexpr int kBlocks = 16, kThreads = 64, kParts = kBlocks * kThreads;

// What a kernel omits, or does in another way.
enum class Form {
    kComplete,
    kNoFenceBefore,
    kNoBarrier,
    kNoFenceAfter,
    kOneFencePerBlock,  // complete as well: barriers pass the order of one thread's fences on to the block
    kOrdinaryStore,
    kOrdinaryLoad,
    kOrdinaryBoth,
    kOrdinaryOverwrite,
};

// Returns true in the last block, as last_to_arrive does.
template <Form form>
__device__ bool arrive(unsigned* ticket) {
    const bool every_thread = form != Form::kOneFencePerBlock;
    if (form != Form::kNoFenceBefore && every_thread) __threadfence();
    if (form != Form::kNoBarrier) __syncthreads();
    int last = 0;
    if (threadIdx.x == 0) {
        if (!every_thread) __threadfence();
        last = atomicAdd(ticket, 1u) == gridDim.x - 1 ? 1 : 0;
        if (!every_thread) __threadfence();
    }
    last = __syncthreads_or(last);
    if (form != Form::kNoFenceAfter && every_thread && last != 0) __threadfence();
    return last != 0;
}

// sums[thread] = sum over the blocks of block * thread.
template <Form form>
__global__ void sum_parts(unsigned* ticket, float* parts, float* sums) {
    const int thread = static_cast<int>(threadIdx.x);
    float* own = parts + blockIdx.x * kThreads + thread;
    const auto value = static_cast<float>(static_cast<int>(blockIdx.x) * thread);
    if (form == Form::kOrdinaryStore || form == Form::kOrdinaryBoth) {
        *own = value;
    } else {
        __stcg(own, value);
    }
    if (form == Form::kOrdinaryOverwrite) *own = value;
    if (!arrive<form>(ticket)) return;
    float sum = 0.0f;
    for (int block = 0; block < kBlocks; ++block) {
        // Another thread's part of each block, so that the barriers are needed.
        const float* part = parts + block * kThreads + (thread + 1) % kThreads;
        sum += form == Form::kOrdinaryLoad || form == Form::kOrdinaryBoth ? *part : __ldcg(part);
    }
    sums[(thread + 1) % kThreads] = sum;
}

// The second block reads what the first has published, but counts itself elsewhere.
__global__ void other_ticket(unsigned* tickets, float* part) {
    if (blockIdx.x == 0) publish(part, 1.0f);
    __threadfence();
    atomicAdd(&tickets[blockIdx.x], 1u);
    __threadfence();
    if (blockIdx.x == 1) read_published(part);
}

// Every block stores to the same place.
__global__ void publish_in_one_place(float* target) {
    publish(target, 1.0f);
}

// The count is right if no other block arrives between the atomic and the load.
template <bool Atomic>
__global__ void count_last_blocks(unsigned* ticket, unsigned* count) {
    if (threadIdx.x != 0) return;
    const unsigned old = atomicAdd(ticket, 1u);
    if ((Atomic ? old + 1 : *ticket) == gridDim.x) atomicAdd(count, 1u);
}

// Waits for one barrier, then fails in one block while others are paused.
__global__ void fails_in_one_block(unsigned* ticket) {
    atomicAdd(ticket, 1u);
    __syncthreads();
    if (blockIdx.x == 7 && threadIdx.x == 9) throw emulator::Fault("thread 9 fails");
    atomicAdd(ticket, 1u);
}

// Different sizes: published as floats, read as float4 by the first threads of the last block.
__global__ void pack(unsigned* ticket, float* parts, float4* out) {
    publish(parts + blockIdx.x * kThreads + threadIdx.x, static_cast<float>(threadIdx.x));
    if (!last_to_arrive(ticket, gridDim.x)) return;
    for (int i = static_cast<int>(threadIdx.x); i < kParts / 4; i += kThreads) {
        out[i] = read_published(reinterpret_cast<const float4*>(parts) + i);
    }
}

template <Form form>
struct Sums {
    Array<unsigned> ticket{std::vector<unsigned>{0}};
    Array<float> parts{kParts}, sums{kThreads};

    std::string fault() const {
        return fault_of(
            [&] { launch(sum_parts<form>, kBlocks, kThreads, 0, nullptr, ticket.data(), parts.data(), sums.data()); });
    }
    bool right() const {
        const std::vector<float> values = sums.read();
        for (int thread = 0; thread < kThreads; ++thread) {
            if (values[thread] != static_cast<float>(kBlocks * (kBlocks - 1) / 2 * thread)) return false;
        }
        return true;
    }
};

}  // namespace

TEST_CASE("published parts arrive in the last block, and in memory when the grid has finished") {
    const ScopedEnvironment schedules("EMULATOR_SCHEDULES", "8");
    const Sums<Form::kComplete> complete;
    CHECK(complete.fault() == "");
    CHECK(complete.right());
    CHECK(complete.parts.read()[3 * kThreads + 5] == 15.0f);
    const Sums<Form::kOneFencePerBlock> one_fence;
    CHECK(one_fence.fault() == "");
    CHECK(one_fence.right());
}

TEST_CASE("a missing __threadfence before the atomic is detected") {
    const std::string fault = Sums<Form::kNoFenceBefore>().fault();
    CHECK_THAT(fault, ContainsSubstring("sum_parts") && ContainsSubstring("test_exchange.cpp:"));
    CHECK_THAT(fault, ContainsSubstring("has executed no __threadfence since"));
}

TEST_CASE("a missing __threadfence after the atomic is detected") {
    CHECK_THAT(Sums<Form::kNoFenceAfter>().fault(),
               ContainsSubstring("has not itself executed __threadfence after an atomic"));
}

TEST_CASE("a missing __syncthreads between the stores and the atomic is detected") {
    CHECK_THAT(Sums<Form::kNoBarrier>().fault(), ContainsSubstring("__ldcg at"));
}

TEST_CASE("an atomic on another address orders nothing") {
    for (int i = 0; i < 4; ++i) {  // either block may be the first to run
        const Array<unsigned> tickets(std::vector<unsigned>{0, 0});
        const Array<float> part(1);
        CHECK_THAT(fault_of([&] { launch(other_ticket, 2, 1, 0, nullptr, tickets.data(), part.data()); }),
                   ContainsSubstring("__ldcg at") && ContainsSubstring("last_block.h:"));
    }
}

TEST_CASE("an ordinary load of what a block has published does not see it") {
    const Sums<Form::kOrdinaryLoad> sums;
    CHECK(sums.fault() == "");
    CHECK(!sums.right());
}

TEST_CASE("an ordinary store in place of a published one is detected") {
    CHECK_THAT(Sums<Form::kOrdinaryStore>().fault(), ContainsSubstring("reads what no block has stored with __stcg"));
    CHECK_THAT(Sums<Form::kOrdinaryOverwrite>().fault(), ContainsSubstring("an ordinary store has overwritten"));
}

TEST_CASE("data passed by ordinary stores and loads is detected") {
    const ScopedEnvironment schedules("EMULATOR_SCHEDULES", "2");
    CHECK_THAT(Sums<Form::kOrdinaryBoth>().fault(), ContainsSubstring("depends on the schedule"));
}

TEST_CASE("two blocks that publish in the same place are detected") {
    const Array<float> target(1);
    CHECK_THAT(fault_of([&] { launch(publish_in_one_place, 2, 1, 0, nullptr, target.data()); }),
               ContainsSubstring("__stcg at") && ContainsSubstring("last_block.h:"));
}

TEST_CASE("other blocks run between an atomic and the load that follows it") {
    const ScopedEnvironment schedules("EMULATOR_SCHEDULES", "32");
    const auto fault = [](auto kernel) {
        const Array<unsigned> ticket(std::vector<unsigned>{0}), count(std::vector<unsigned>{0});
        return fault_of([&] { launch(kernel, kBlocks, kThreads, 0, nullptr, ticket.data(), count.data()); });
    };
    CHECK(fault(count_last_blocks<true>) == "");
    CHECK_THAT(fault(count_last_blocks<false>), ContainsSubstring("depends on the schedule"));
}

TEST_CASE("a fault in one block while others are paused does not affect the next launch") {
    for (int i = 0; i < 3; ++i) {
        const Array<unsigned> ticket(std::vector<unsigned>{0});
        CHECK_THAT(fault_of([&] { launch(fails_in_one_block, kBlocks, kThreads, 0, nullptr, ticket.data()); }),
                   ContainsSubstring("block (7, 0, 0)") && ContainsSubstring("thread 9 fails"));
        const Sums<Form::kComplete> sums;
        CHECK(sums.fault() == "");
        CHECK(sums.right());
    }
}

TEST_CASE("published values are read in other sizes than they were stored in") {
    const ScopedEnvironment schedules("EMULATOR_SCHEDULES", "8");
    const Array<unsigned> ticket(std::vector<unsigned>{0});
    const Array<float> parts(kParts);
    const Array<float4> out(kParts / 4);
    launch(pack, kBlocks, kThreads, 0, nullptr, ticket.data(), parts.data(), out.data());
    CHECK(ticket.read()[0] == 0);
    const std::vector<float4> values = out.read();
    for (int i = 0; i < kParts / 4; ++i) {
        CHECK(values[i].x == static_cast<float>(4 * i % kThreads));
        CHECK(values[i].w == static_cast<float>((4 * i + 3) % kThreads));
    }
}
