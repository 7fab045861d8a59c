// A stack of its own and the place where its work stopped: Boost.Context, with what AddressSanitizer must be told.
#pragma once

#include <boost/context/fiber.hpp>
#include <cstddef>

namespace emulator {

class Fiber {
  public:
    // The stack that the program already runs on.
    Fiber() = default;
    // A new stack; the first switch to it calls `body`, which never returns.
    explicit Fiber(void (*body)());
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

    // Goes on where the work of this fiber stopped; returns when somebody switches back to the caller's fiber, `from`.
    void resume(Fiber& from);

  private:
    void arrive();

    boost::context::fiber context_;
    const void* stack_bottom_ = nullptr;
    size_t stack_bytes_ = 0;
    void* sanitizer_stack_ = nullptr;
};

}  // namespace emulator
