// Runs the threads of one block on fibers. A thread runs undisturbed up to the next point where threads meet (a
// barrier, a shuffle, a matrix instruction); who goes on there is drawn at random. Threads that never meet share one
// fiber.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "tests/emulator/fiber.h"
#include "tests/emulator/random.h"

namespace emulator {

using Place = std::source_location;

inline constexpr unsigned kWarp = 32;

// 16 bytes under way to shared memory.
struct Copy {
    void* target;
    unsigned char bytes[16];
};

struct Thread {
    uint3 index{};
    Fiber* fiber = nullptr;  // once it has waited
    bool done = false;
    std::vector<Copy> copies;
};

// What threads bring to a meeting: for each of them its operand, null for lanes that do not take part.
using Operands = std::vector<void*>;

// Threads that wait for each other: a whole block, or the lanes of a warp that `mask` names.
struct Meeting {
    const char* name;
    Place place;
    uint32_t mask;
    unsigned expected;
    unsigned arrived = 0;
    Operands operands;               // by lane, or by thread of the block
    std::vector<Thread*> threads{};  // in the order of arrival
};

class Block {
  public:
    // The block that runs now.
    static Block& current();

    // Runs `body` once for each thread. Throws Fault, or what the body throws.
    void run(dim3 size, const std::function<void()>& body, Random& random);

    // Waits for all threads of the block, or for the lanes in `mask` of the caller's warp, to call with the same name
    // and place. The last to come calls complete(operands), for which all operands are in place.
    template <class Complete>
    void meet_block(const char* name, const Place& place, void* operand, Complete complete) {
        meet(block_meetings_, 0, static_cast<unsigned>(threads_.size()), rank(), name, place, operand, complete);
    }
    template <class Complete>
    void meet_warp(const char* name, const Place& place, uint32_t mask, void* operand, Complete complete) {
        check_mask(name, place, mask);
        meet(warp_meetings_[rank() / kWarp], mask, static_cast<unsigned>(__builtin_popcount(mask)), lane(), name, place,
             operand, complete);
    }

    unsigned rank() const { return static_cast<unsigned>(thread_ - threads_.data()); }
    unsigned lane() const { return rank() % kWarp; }
    Thread& thread() { return *thread_; }

  private:
    using Meetings = std::vector<std::unique_ptr<Meeting>>;

    template <class Complete>
    void meet(Meetings& meetings, uint32_t mask, unsigned expected, unsigned slot, const char* name, const Place& place,
              void* operand, Complete complete) {
        Meeting& meeting = join(meetings, mask, expected, slot, name, place, operand);
        if (meeting.arrived < expected) {
            wait();
        } else {
            complete(meeting.operands);
            release(meetings, meeting);
        }
    }
    Meeting& join(Meetings& meetings, uint32_t mask, unsigned expected, unsigned slot, const char* name,
                  const Place& place, void* operand);
    void release(Meetings& meetings, Meeting& meeting);
    void check_mask(const char* name, const Place& place, uint32_t mask) const;

    static void work();
    void run_thread();
    Thread* draw();
    void make_current(Thread* thread);
    void wait();
    void go_on_with(Thread* next);
    void leave_fiber();
    void abandon(std::exception_ptr failure);
    std::string who_waits_where() const;

    Fiber main_;
    std::vector<std::unique_ptr<Fiber>> fibers_;
    std::vector<Fiber*> idle_;
    Fiber* fiber_ = &main_;

    const std::function<void()>* body_ = nullptr;
    Random* random_ = nullptr;
    dim3 size_;
    std::vector<Thread> threads_;
    std::vector<Thread*> ready_;
    Thread* thread_ = nullptr;
    unsigned unfinished_ = 0;
    Meetings block_meetings_;
    std::vector<Meetings> warp_meetings_;
    Meetings spare_;
    std::exception_ptr failure_;
};

// What threadIdx and its companions show.
struct Coordinates {
    uint3 thread, block;
    dim3 block_size, grid_size;
};
inline Coordinates coordinates;

}  // namespace emulator
