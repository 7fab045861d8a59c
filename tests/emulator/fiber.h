// A fiber of Boost.Context that tells AddressSanitizer when stacks are switched.
#pragma once

#include <boost/context/fiber.hpp>
#include <cstddef>

namespace emulator {

class Fiber {
  public:
    // The stack that the program is already running on.
    Fiber() = default;
    // A new stack; the first switch to it calls `body`, which never returns.
    explicit Fiber(void (*body)());
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

    // Resumes this fiber; returns when another one resumes the caller's fiber, `from`.
    void resume(Fiber& from);

  private:
    void arrive();

    boost::context::fiber context_;
    const void* stack_bottom_ = nullptr;
    size_t stack_bytes_ = 0;
    void* sanitizer_stack_ = nullptr;
};

}  // namespace emulator
