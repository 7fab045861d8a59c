#include "tests/emulator/tensor_core.h"

#include <bit>
#include <cstring>
#include <string>

#include "tests/emulator/fault.h"
#include "tests/emulator/grid.h"
#include "tests/emulator/memory.h"
#include "tests/emulator/text.h"

namespace emulator {

namespace {

constexpr uint32_t kWholeWarp = ~0u;
constexpr size_t kRowBytes = 16;

void check_aligned(const char* name, const Place& place, const void* pointer) {
    if (reinterpret_cast<uintptr_t>(pointer) % kRowBytes == 0) return;
    throw Fault(std::string(name) + " at " + text(place) + ": an address of thread " +
                text(Block::current().thread().index) + " is not a multiple of 16");
}

void check_shared(const char* name, const Place& place, const void* pointer) {
    check_aligned(name, place, pointer);
    if (in_shared_memory(pointer, kRowBytes)) return;
    throw Fault(std::string(name) + " at " + text(place) + ": the address of thread " +
                text(Block::current().thread().index) + " is outside the block's shared memory");
}

// Lanes that last synchronised with only a part of their warp may not have converged since, and the instructions below
// are for converged warps (.aligned). The emulator does not see lanes that diverge in another way.
void check_converged(const char* name, const Place& place) {
    if (Block::current().warp_is_converged()) return;
    throw Fault(std::string(name) + " at " + text(place) + ": the lanes of the warp of thread " +
                text(Block::current().thread().index) +
                " last synchronised in different places; call __syncwarp() before it");
}

struct MatrixLane {
    const void* row;
    uint32_t* r;
};

float value(uint32_t pair, int half) {
    return std::bit_cast<float>(half == 0 ? pair << 16 : pair & 0xffff0000u);
}

struct ProductLane {
    float* d;
    const uint32_t* a;
    const uint32_t* b;
};

// Matrix elements in the fragments of the lanes, by the PTX manual's layout: lane = 4 g + t.
float a_at(const Operands& lanes, int row, int k) {
    const auto* lane = static_cast<const ProductLane*>(lanes[row % 8 * 4 + k % 8 / 2]);
    return value(lane->a[row / 8 + k / 8 * 2], k % 2);
}
float b_at(const Operands& lanes, int k, int column) {
    const auto* lane = static_cast<const ProductLane*>(lanes[column * 4 + k % 8 / 2]);
    return value(lane->b[k / 8], k % 2);
}
float& d_at(const Operands& lanes, int row, int column) {
    const auto* lane = static_cast<const ProductLane*>(lanes[row % 8 * 4 + column / 2]);
    return lane->d[row / 8 * 2 + column % 2];
}

}  // namespace

void load_matrices(const char* name, const Place& place, uint32_t (&r)[4], const void* row, bool transposed) {
    check_shared(name, place, row);
    MatrixLane mine{row, r};
    Block::current().sync_warp(name, place, kWholeWarp, &mine, [&](const Operands& lanes) {
        check_converged(name, place);
        for (int matrix = 0; matrix < 4; ++matrix) {
            uint16_t m[8][8];
            for (int i = 0; i < 8; ++i) {
                std::memcpy(m[i], static_cast<const MatrixLane*>(lanes[matrix * 8 + i])->row, kRowBytes);
            }
            for (int lane = 0; lane < static_cast<int>(kWarp); ++lane) {
                const int g = lane / 4, t = lane % 4;
                const uint16_t low = transposed ? m[2 * t][g] : m[g][2 * t];
                const uint16_t high = transposed ? m[2 * t + 1][g] : m[g][2 * t + 1];
                static_cast<MatrixLane*>(lanes[lane])->r[matrix] = static_cast<uint32_t>(high) << 16 | low;
            }
        }
    });
}

// The manual leaves the order of the additions open; here k ascends.
void multiply_add(const Place& place, float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    ProductLane mine{d, a, b};
    Block::current().sync_warp("mma", place, kWholeWarp, &mine, [&](const Operands& lanes) {
        check_converged("mma", place);
        float rows[16][16], columns[8][16];
        for (int k = 0; k < 16; ++k) {
            for (int row = 0; row < 16; ++row) rows[row][k] = a_at(lanes, row, k);
            for (int column = 0; column < 8; ++column) columns[column][k] = b_at(lanes, k, column);
        }
        for (int row = 0; row < 16; ++row) {
            for (int column = 0; column < 8; ++column) {
                float sum = d_at(lanes, row, column);
                for (int k = 0; k < 16; ++k) sum += rows[row][k] * columns[column][k];
                d_at(lanes, row, column) = sum;
            }
        }
    });
}

void copy_async(const Place& place, void* shared, const void* global) {
    check_shared("cp.async", place, shared);
    check_aligned("cp.async", place, global);
    if (!device_holds(global, kRowBytes)) {
        throw Fault("cp.async at " + text(place) + ": the source of thread " + text(Block::current().thread().index) +
                    " is not in global memory");
    }
    Copy copy{shared, {}};
    std::memcpy(copy.bytes, global, kRowBytes);
    std::memset(shared, kPoison, kRowBytes);
    Block::current().thread().copies.push_back(copy);
}

void wait_for_copies() {
    std::vector<Copy>& copies = Block::current().thread().copies;
    for (const Copy& copy : copies) std::memcpy(copy.target, copy.bytes, kRowBytes);
    copies.clear();
}

}  // namespace emulator
