// Shuffles, votes and barriers with a value return what the CUDA manual specifies.
#include "tests/emulator/fixture.h"

using namespace emulator_test;
using residual::kernels::launch;

namespace {

constexpr int kBlock = 64, kLanes = 32;

struct Results {
    int indexed, up, down, xored, in_eights, ballot, any, all, block_count, block_or, block_and;
    double wide;
};

__global__ void every_operation(Results* results) {
    const int i = static_cast<int>(threadIdx.x);
    Results& r = results[i];
    r.indexed = __shfl_sync(~0u, i, 5);
    r.up = __shfl_up_sync(~0u, i, 3);
    r.down = __shfl_down_sync(~0u, i, 3);
    r.xored = __shfl_xor_sync(~0u, i, 9);
    r.in_eights = __shfl_down_sync(~0u, i, 2, 8);
    r.ballot = static_cast<int>(__ballot_sync(~0u, i % 3 == 0));
    r.any = __any_sync(~0u, i == 40);
    r.all = __all_sync(~0u, i != 40);
    r.block_count = __syncthreads_count(i % 5 == 0);
    r.block_or = __syncthreads_or(i == 63);
    r.block_and = __syncthreads_and(i != 63);
    r.wide = __shfl_xor_sync(~0u, i + 0.25, 1);
}

// The two halves of a warp diverge and converge again.
__global__ void halves(int* out) {
    const int i = static_cast<int>(threadIdx.x);
    int sum = i;
    if (i < 16) {
        for (int step = 8; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffu, sum, step);
    } else {
        for (int step = 8; step > 0; step /= 2) sum += __shfl_xor_sync(0xffff0000u, sum, step);
    }
    __syncwarp();
    out[i] = sum;
}

}  // namespace

TEST_CASE("lanes receive the values that the manual specifies") {
    const Array<Results> results(kBlock);
    launch(every_operation, 1, kBlock, 0, nullptr, results.data());
    const std::vector<Results> values = results.read();
    uint32_t thirds[2] = {0, 0};
    for (int i = 0; i < kBlock; ++i) thirds[i / kLanes] |= static_cast<uint32_t>(i % 3 == 0) << (i % kLanes);
    for (int i = 0; i < kBlock; ++i) {
        INFO(i);
        const Results& r = values[i];
        const int lane = i % kLanes, warp = i - lane;
        CHECK(r.indexed == warp + 5);
        CHECK(r.up == (lane < 3 ? i : i - 3));
        CHECK(r.down == (lane + 3 < kLanes ? i + 3 : i));
        CHECK(r.xored == warp + (lane ^ 9));
        CHECK(r.in_eights == (i % 8 + 2 < 8 ? i + 2 : i));
        CHECK(static_cast<uint32_t>(r.ballot) == thirds[i / kLanes]);
        CHECK(r.any == (warp == 32 ? 1 : 0));
        CHECK(r.all == (warp == 32 ? 0 : 1));
        CHECK(r.block_count == 13);
        CHECK(r.block_or == 1);
        CHECK(r.block_and == 0);
        CHECK(r.wide == (i ^ 1) + 0.25);
    }
}

TEST_CASE("two parts of a warp exchange values independently") {
    const ScopedEnvironment schedules("EMULATOR_SCHEDULES", "8");
    const Array<int> out(kLanes);
    launch(halves, 1, kLanes, 0, nullptr, out.data());
    const std::vector<int> values = out.read();
    for (int i = 0; i < kLanes; ++i) CHECK(values[i] == (i < 16 ? 120 : 376));
}
