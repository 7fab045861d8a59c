// Votes and shuffles.
#pragma once

#include <bit>
#include <string>

#include "tests/emulator/block.h"
#include "tests/emulator/fault.h"
#include "tests/emulator/text.h"

namespace emulator {

// The number of threads in the block with a non-zero predicate.
inline int vote_block(const char* name, const Place& place, int predicate) {
    struct Vote {
        bool yes;
        int count;
    } mine{predicate != 0, 0};
    Block::current().sync_block(name, place, &mine, [](const Operands& operands) {
        int count = 0;
        for (const void* operand : operands) count += static_cast<const Vote*>(operand)->yes ? 1 : 0;
        for (void* operand : operands) static_cast<Vote*>(operand)->count = count;
    });
    return mine.count;
}

// Bit i is set if lane i is in the mask and its predicate is non-zero.
inline uint32_t ballot(const char* name, const Place& place, uint32_t mask, int predicate) {
    struct Vote {
        bool yes;
        uint32_t all;
    } mine{predicate != 0, 0};
    Block::current().sync_warp(name, place, mask, &mine, [](const Operands& operands) {
        uint32_t all = 0;
        for (unsigned lane = 0; lane < kWarp; ++lane) {
            const auto* vote = static_cast<const Vote*>(operands[lane]);
            if (vote != nullptr && vote->yes) all |= 1u << lane;
        }
        for (void* operand : operands) {
            if (operand != nullptr) static_cast<Vote*>(operand)->all = all;
        }
    });
    return mine.all;
}

// The value of lane source_of(lane, first), where `first` is the first lane of this lane's group of `width` lanes.
template <class T, class SourceOf>
T shuffle(const char* name, const Place& place, uint32_t mask, T value, int width, SourceOf source_of) {
    const auto where = [&] { return std::string(name) + " at " + text(place); };
    if (width < 1 || width > static_cast<int>(kWarp) || !std::has_single_bit(static_cast<unsigned>(width))) {
        throw Fault(where() + ": a width of " + std::to_string(width) + " is not a power of two up to 32");
    }
    struct Lane {
        T value;
        int source;
        T result;
    };
    const int lane = static_cast<int>(Block::current().lane());
    Lane mine{value, source_of(lane, lane / width * width), T{}};
    Block::current().sync_warp(name, place, mask, &mine, [&](const Operands& operands) {
        for (void* operand : operands) {
            if (operand == nullptr) continue;
            auto* target = static_cast<Lane*>(operand);
            const bool valid =
                target->source >= 0 && target->source < static_cast<int>(kWarp) && operands[target->source] != nullptr;
            if (!valid) {
                throw Fault(where() + " reads from lane " + std::to_string(target->source) +
                            ", which is not in the mask " + hex(mask));
            }
            target->result = static_cast<const Lane*>(operands[target->source])->value;
        }
    });
    return mine.result;
}

}  // namespace emulator
