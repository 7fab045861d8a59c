// Matrix instructions and asynchronous copies: compared with the PTX manual's tables and plain loops, and their misuse
// detected.
#include <algorithm>
#include <random>

#include "kernels/bfloat16.h"
#include "kernels/cuda/tensor_core.h"
#include "tests/emulator/fixture.h"

using namespace emulator_test;
using residual::kernels::Accumulator;
using residual::kernels::bfloat16;
using residual::kernels::copy_async;
using residual::kernels::dynamic_shared;
using residual::kernels::FragmentA;
using residual::kernels::FragmentB;
using residual::kernels::launch;
using residual::kernels::load_matrices;
using residual::kernels::load_matrices_transposed;
using residual::kernels::multiply_add;
using residual::kernels::wait_for_copies;

namespace {

constexpr int kRows = 16, kColumns = 8, kDepth = 16, kLanes = 32;

// The manual's layout of mma.m16n8k16: the element of A, B and C that a lane holds in position i.
struct Element {
    int row, column;
};
Element element_of_a(int lane, int i) {
    const int group = lane >> 2, in_group = lane % 4;
    return {i < 2 || (i >= 4 && i < 6) ? group : group + 8, in_group * 2 + (i & 1) + (i < 4 ? 0 : 8)};
}
Element element_of_b(int lane, int i) {
    const int group = lane >> 2, in_group = lane % 4;
    return {in_group * 2 + (i & 1) + (i < 2 ? 0 : 8), group};
}
Element element_of_c(int lane, int i) {
    const int group = lane >> 2, in_group = lane % 4;
    return {i < 2 ? group : group + 8, in_group * 2 + (i & 1)};
}

uint32_t pair(const bfloat16& low, const bfloat16& high) {
    return static_cast<uint32_t>(high.bits) << 16 | low.bits;
}

// a [16][16], b [16][8], c [16][8], gathered element by element.
__global__ void product_of_elements(const bfloat16* a, const bfloat16* b, float* c) {
    const int lane = static_cast<int>(threadIdx.x);
    const auto a_at = [&](int i) {
        const Element e = element_of_a(lane, i);
        return a[e.row * kDepth + e.column];
    };
    const auto b_at = [&](int i) {
        const Element e = element_of_b(lane, i);
        return b[e.row * kColumns + e.column];
    };
    FragmentA fragment_a;
    FragmentB fragment_b;
    Accumulator sum;
    for (int r = 0; r < 4; ++r) fragment_a.r[r] = pair(a_at(2 * r), a_at(2 * r + 1));
    for (int r = 0; r < 2; ++r) fragment_b.r[r] = pair(b_at(2 * r), b_at(2 * r + 1));
    for (int i = 0; i < 4; ++i) {
        const Element e = element_of_c(lane, i);
        sum.v[i] = c[e.row * kColumns + e.column];
    }
    multiply_add(sum, fragment_a, fragment_b);
    for (int i = 0; i < 4; ++i) {
        const Element e = element_of_c(lane, i);
        c[e.row * kColumns + e.column] = sum.v[i];
    }
}

// The same product through shared memory and ldmatrix. Swapped exchanges the registers of the second and third 8x8
// matrix of A, an easy mistake.
template <bool Swapped>
__global__ void product_of_matrices(const bfloat16* a, const bfloat16* b, float* c) {
    const int lane = static_cast<int>(threadIdx.x);
    bfloat16* shared_a = dynamic_shared<bfloat16>();
    bfloat16* shared_b = shared_a + kRows * kDepth;
    for (int i = lane; i < kRows * kDepth; i += kLanes) shared_a[i] = a[i];
    for (int i = lane; i < kDepth * kColumns; i += kLanes) shared_b[i] = b[i];
    __syncwarp();
    const int matrix = lane / 8, row = lane % 8;
    const int lower = Swapped ? matrix / 2 : matrix % 2, right = Swapped ? matrix % 2 : matrix / 2;
    FragmentA fragment_a;
    load_matrices(fragment_a.r, shared_a + (lower * 8 + row) * kDepth + right * 8);
    uint32_t columns[4];
    load_matrices_transposed(columns, shared_b + (matrix % 2 * 8 + row) * kColumns);
    const FragmentB fragment_b{{columns[0], columns[1]}};
    Accumulator sum;
    for (int i = 0; i < 4; ++i) {
        const Element e = element_of_c(lane, i);
        sum.v[i] = c[e.row * kColumns + e.column];
    }
    multiply_add(sum, fragment_a, fragment_b);
    for (int i = 0; i < 4; ++i) {
        const Element e = element_of_c(lane, i);
        c[e.row * kColumns + e.column] = sum.v[i];
    }
}

constexpr size_t kSharedBytes = (kRows * kDepth + kDepth * kColumns) * sizeof(bfloat16);

// Writes what ldmatrix loads into each lane's registers to memory.
__global__ void show_matrices(const bfloat16* source, uint32_t* plain, uint32_t* transposed) {
    const int lane = static_cast<int>(threadIdx.x);
    bfloat16* shared = dynamic_shared<bfloat16>();
    for (int i = lane; i < 4 * 64; i += kLanes) shared[i] = source[i];
    __syncwarp();
    uint32_t r[4];
    load_matrices(r, shared + lane * 8);
    for (int i = 0; i < 4; ++i) plain[lane * 4 + i] = r[i];
    load_matrices_transposed(r, shared + lane * 8);
    for (int i = 0; i < 4; ++i) transposed[lane * 4 + i] = r[i];
}

__global__ void matrices_from(int first_element) {
    uint32_t r[4];
    load_matrices(r, dynamic_shared<bfloat16>() + first_element + static_cast<int>(threadIdx.x) * 8);
}
__global__ void matrices_of_half_a_warp() {
    uint32_t r[4];
    if (threadIdx.x < 16) load_matrices(r, dynamic_shared<bfloat16>());
}

__global__ void product_of_half_a_warp() {
    Accumulator sum = {};
    if (threadIdx.x < 16) multiply_add(sum, FragmentA{}, FragmentB{});
}
// The whole warp, after half of it has synchronised.
template <bool Converge>
__global__ void matrices_of_parted_warp() {
    if (threadIdx.x < 16) __syncwarp(0xffffu);
    if constexpr (Converge) __syncwarp();
    uint32_t r[4];
    load_matrices(r, dynamic_shared<bfloat16>());
}
template <bool Converge>
__global__ void product_of_parted_warp() {
    if (threadIdx.x < 16) __syncwarp(0xffffu);
    if constexpr (Converge) __syncwarp();
    Accumulator sum = {};
    multiply_add(sum, FragmentA{}, FragmentB{});
}

enum class Wait { kBeforeReading, kAfterReading, kNever };

template <Wait wait>
__global__ void copy_through_shared(const int4* source, int4* target, int* old_bytes_visible) {
    int4* shared = dynamic_shared<int4>();
    shared[threadIdx.x] = {1, 2, 3, 4};
    copy_async(&shared[threadIdx.x], &source[threadIdx.x]);
    if (threadIdx.x == 0) *old_bytes_visible = shared[0].x == 1 ? 1 : 0;
    if constexpr (wait == Wait::kBeforeReading) wait_for_copies();
    __syncthreads();
    target[threadIdx.x] = shared[threadIdx.x ^ 1];
    if constexpr (wait == Wait::kAfterReading) wait_for_copies();
}

__global__ void copy_from(const bfloat16* source, int shared_offset, int source_offset) {
    copy_async(dynamic_shared<bfloat16>() + shared_offset, source + source_offset);
    wait_for_copies();
}
__global__ void copy_from_shared_memory() {
    copy_async(dynamic_shared<bfloat16>(), dynamic_shared<bfloat16>() + 8);
    wait_for_copies();
}

template <class T, class Convert>
std::vector<T> random_values(int n, unsigned seed, Convert convert) {
    std::mt19937 random(seed);
    std::vector<T> values;
    for (int i = 0; i < n; ++i) values.push_back(convert(static_cast<float>(random() % 2001) / 1000.0f - 1.0f));
    return values;
}
std::vector<bfloat16> random_bfloat16(int n, unsigned seed) {
    return random_values<bfloat16>(n, seed, [](float value) { return bfloat16(value); });
}

// The largest |c of the kernel - c of plain loops|.
template <class Kernel>
double error_of_product(Kernel kernel) {
    const auto a = random_bfloat16(kRows * kDepth, 1), b = random_bfloat16(kDepth * kColumns, 2);
    const auto c = random_values<float>(kRows * kColumns, 3, [](float value) { return value; });
    const Array<bfloat16> device_a(a), device_b(b);
    const Array<float> device_c(c);
    launch(kernel, 1, kLanes, kSharedBytes, nullptr, device_a.data(), device_b.data(), device_c.data());
    const std::vector<float> result = device_c.read();
    double worst = 0;
    for (int row = 0; row < kRows; ++row) {
        for (int column = 0; column < kColumns; ++column) {
            double sum = c[row * kColumns + column];
            for (int k = 0; k < kDepth; ++k) {
                sum += double(to_float(a[row * kDepth + k])) * to_float(b[k * kColumns + column]);
            }
            worst = std::max(worst, std::abs(result[row * kColumns + column] - sum));
        }
    }
    return worst;
}

struct Copied {
    std::vector<int4> values;
    bool old_bytes_visible;
};

template <Wait wait>
Copied copied(int n) {
    std::vector<int4> source;
    for (int i = 0; i < n; ++i) source.push_back({i, 2 * i, 3 * i, 4 * i});
    const Array<int4> device_source(source), target(n);
    const Array<int> old_bytes(1);
    launch(copy_through_shared<wait>, 1, n, n * sizeof(int4), nullptr, device_source.data(), target.data(),
           old_bytes.data());
    return {target.read(), old_bytes.read()[0] != 0};
}

}  // namespace

TEST_CASE("mma multiplies fragments in the manual's layout") {
    CHECK(error_of_product(product_of_elements) < 1e-5);
}

TEST_CASE("ldmatrix loads the fragments that mma reads; a wrong fragment index gives a wrong product") {
    const ScopedEnvironment schedules("EMULATOR_SCHEDULES", "8");
    CHECK(error_of_product(product_of_matrices<false>) < 1e-5);
    CHECK(error_of_product(product_of_matrices<true>) > 0.1);
}

TEST_CASE("ldmatrix, plain and transposed, element by element") {
    const auto source = random_bfloat16(4 * 64, 4);
    const Array<bfloat16> device_source(source);
    const Array<uint32_t> plain(4 * kLanes), transposed(4 * kLanes);
    launch(show_matrices, 1, kLanes, 4 * 64 * sizeof(bfloat16), nullptr, device_source.data(), plain.data(),
           transposed.data());
    const auto straight = plain.read(), across = transposed.read();
    for (int lane = 0; lane < kLanes; ++lane) {
        const int row = lane / 4, column = lane % 4 * 2;
        for (int m = 0; m < 4; ++m) {
            const bfloat16* matrix = source.data() + m * 64;
            CHECK(straight[lane * 4 + m] == pair(matrix[row * 8 + column], matrix[row * 8 + column + 1]));
            CHECK(across[lane * 4 + m] == pair(matrix[column * 8 + row], matrix[(column + 1) * 8 + row]));
        }
    }
}

TEST_CASE("ldmatrix requires the whole warp and aligned rows inside shared memory") {
    const auto fault = [](int first, size_t bytes) {
        return fault_of([=] { launch(matrices_from, 1, kLanes, bytes, nullptr, first); });
    };
    CHECK(fault(0, kLanes * 16) == "");
    CHECK_THAT(fault(4, kLanes * 16 + 16), ContainsSubstring("not a multiple of 16"));
    CHECK_THAT(fault(8, kLanes * 16), ContainsSubstring("(31, 0, 0) is outside the block's shared memory"));
    CHECK_THAT(fault_of([] { launch(matrices_of_half_a_warp, 1, kLanes, 16, nullptr); }),
               ContainsSubstring("ldmatrix with mask 0xffffffff") && ContainsSubstring("test_tensor_core.cpp:"));
}

TEST_CASE("ldmatrix and mma require a converged warp") {
    const auto fault = [](auto kernel) { return fault_of([=] { launch(kernel, 1, 2 * kLanes, 16, nullptr); }); };
    CHECK_THAT(fault(product_of_half_a_warp), ContainsSubstring("mma with mask 0xffffffff"));
    CHECK(fault(matrices_of_parted_warp<true>) == "");
    CHECK(fault(product_of_parted_warp<true>) == "");
    CHECK_THAT(fault(matrices_of_parted_warp<false>),
               ContainsSubstring("ldmatrix at") && ContainsSubstring("call __syncwarp() before it"));
    CHECK_THAT(fault(product_of_parted_warp<false>), ContainsSubstring("call __syncwarp() before it"));
}

TEST_CASE("an asynchronous copy completes at its wait; until then the target holds neither old nor new bytes") {
    const ScopedEnvironment schedules("EMULATOR_SCHEDULES", "8");
    const Copied result = copied<Wait::kBeforeReading>(64);
    CHECK(!result.old_bytes_visible);
    for (int i = 0; i < 64; ++i) {
        CHECK(result.values[i].x == (i ^ 1));
        CHECK(result.values[i].w == 4 * (i ^ 1));
    }
}

TEST_CASE("a late or missing wait is detected") {
    const auto late = copied<Wait::kAfterReading>(64).values;
    CHECK(std::any_of(late.begin(), late.end(), [](const int4& value) { return value.x == -1; }));
    CHECK_THAT(fault_of([] { copied<Wait::kNever>(64); }), ContainsSubstring("without waiting for"));
    const ScopedEnvironment schedules("EMULATOR_SCHEDULES", "8");
    CHECK_THAT(fault_of([] { copied<Wait::kAfterReading>(64); }), ContainsSubstring("depends on the schedule"));
}

TEST_CASE("an asynchronous copy requires 16 aligned bytes of global and of shared memory") {
    const Array<bfloat16> source(16);
    const auto fault = [&](int shared_offset, int source_offset) {
        return fault_of([&] { launch(copy_from, 1, 1, 32, nullptr, source.data(), shared_offset, source_offset); });
    };
    CHECK(fault(8, 8) == "");
    CHECK_THAT(fault(4, 0), ContainsSubstring("not a multiple of 16"));
    CHECK_THAT(fault(0, 4), ContainsSubstring("not a multiple of 16"));
    CHECK_THAT(fault(16, 0), ContainsSubstring("outside the block's shared memory"));
    CHECK_THAT(fault(0, 16), ContainsSubstring("not in global memory"));
    CHECK_THAT(fault_of([] { launch(copy_from_shared_memory, 1, 1, 32, nullptr); }),
               ContainsSubstring("not in global memory"));
}
