// Runs the threads of one block on fibers. A thread runs without interruption until it reaches a synchronisation point
// (a barrier, a shuffle, a matrix instruction) or the block is paused; the thread that runs next is chosen at random.
// Threads that never synchronise share one fiber.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "tests/emulator/exchange.h"
#include "tests/emulator/fiber.h"
#include "tests/emulator/random.h"

namespace emulator {

using Place = std::source_location;

inline constexpr unsigned kWarp = 32;

// An asynchronous copy of 16 bytes to shared memory that has not completed.
struct Copy {
    void* target;
    unsigned char bytes[16];
};

struct Thread {
    uint3 index{};
    Fiber* fiber = nullptr;  // null until its first wait
    bool done = false;
    std::vector<Copy> copies;
    Order order;
    uint64_t last_sync = 0;  // number of the last synchronisation in which the thread took part
};

// One operand per participant; null for the lanes outside the mask.
using Operands = std::vector<void*>;

// Threads that wait for each other: a whole block, or the lanes of a warp in `mask`.
struct SyncPoint {
    const char* name;
    Place place;
    uint32_t mask;
    unsigned expected;
    unsigned arrived = 0;
    Operands operands;               // indexed by lane, or by thread of the block
    std::vector<Thread*> threads{};  // in order of arrival
};

class Block {
  public:
    // The running block.
    static Block& current() { return *current_; }

    // Prepares block number `number`, of the given index in the grid, to run `body` once for each thread.
    void start(uint32_t number, const uint3& index, dim3 size, const std::function<void()>& body, Random& random);
    // Runs the block until it is paused or, with the result true, until all its threads have returned. Throws Fault, or
    // whatever `body` throws.
    bool advance();
    // Called by a thread of the running block: advance() returns, and the thread continues during a later call of it.
    void pause();
    // Abandons a paused block.
    void stop();

    // Waits until all threads of the block, or the lanes in `mask` of the caller's warp, have called with the same name
    // and place. The last to arrive calls complete(operands) with the operands of all.
    template <class Complete>
    void sync_block(const char* name, const Place& place, void* operand, Complete complete) {
        sync(block_sync_points_, 0, static_cast<unsigned>(threads_.size()), rank(), name, place, operand, complete);
    }
    template <class Complete>
    void sync_warp(const char* name, const Place& place, uint32_t mask, void* operand, Complete complete) {
        check_mask(name, place, mask);
        sync(warp_sync_points_[rank() / kWarp], mask, static_cast<unsigned>(__builtin_popcount(mask)), lane(), name,
             place, operand, complete);
    }

    unsigned rank() const { return static_cast<unsigned>(thread_ - threads_.data()); }
    unsigned lane() const { return rank() % kWarp; }
    Thread& thread() { return *thread_; }
    uint32_t number() const { return number_; }
    const uint3& index() const { return index_; }
    Random& random() { return *random_; }
    // Of the stores and fences that block-wide barriers have ordered before everything that follows in the block.
    Order& order() { return order_; }
    // Whether the last synchronisation of all lanes of the caller's warp was the same one.
    bool warp_is_converged() const;

  private:
    using SyncPoints = std::vector<std::unique_ptr<SyncPoint>>;

    template <class Complete>
    void sync(SyncPoints& points, uint32_t mask, unsigned expected, unsigned slot, const char* name, const Place& place,
              void* operand, Complete complete) {
        SyncPoint& point = join(points, mask, expected, slot, name, place, operand);
        if (point.arrived < expected) {
            wait();
        } else {
            complete(point.operands);
            release(points, point);
        }
    }
    SyncPoint& join(SyncPoints& points, uint32_t mask, unsigned expected, unsigned slot, const char* name,
                    const Place& place, void* operand);
    void release(SyncPoints& points, SyncPoint& point);
    void check_mask(const char* name, const Place& place, uint32_t mask) const;

    static void work();
    void run_thread();
    Thread* draw();
    void make_current(Thread* thread);
    void wait();
    void switch_to(Thread* next);
    void leave_fiber();
    void abandon(std::exception_ptr failure);
    void forget_sync_points();
    std::string deadlock_message() const;

    static inline Block* current_ = nullptr;

    Fiber main_;
    std::vector<std::unique_ptr<Fiber>> fibers_;
    std::vector<Fiber*> idle_;
    Fiber* fiber_ = &main_;

    const std::function<void()>* body_ = nullptr;
    Random* random_ = nullptr;
    uint32_t number_ = 0;
    uint3 index_{};
    std::vector<Thread> threads_;
    std::vector<Thread*> ready_;
    Thread* thread_ = nullptr;
    unsigned unfinished_ = 0;
    SyncPoints block_sync_points_;
    std::vector<SyncPoints> warp_sync_points_;
    SyncPoints spare_;
    uint64_t syncs_ = 0;
    Order order_;
    std::exception_ptr failure_;
};

// The values of threadIdx, blockIdx, blockDim and gridDim.
struct Coordinates {
    uint3 thread, block;
    dim3 block_size, grid_size;
};
inline Coordinates coordinates;

}  // namespace emulator
