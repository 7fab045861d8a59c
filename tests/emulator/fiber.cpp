#include "tests/emulator/fiber.h"

#include <boost/context/protected_fixedsize_stack.hpp>
#include <cstdlib>
#include <utility>

#if defined(EMULATOR_FIBERS_SANITIZED)
#include <sanitizer/common_interface_defs.h>
#endif

namespace emulator {

namespace {

// Reserves address space; only the pages that a kernel touches use memory.
constexpr size_t kStackBytes = size_t{256} << 10;

// The fiber that was running before the last switch; the switch returns its context.
Fiber* previous = nullptr;

}  // namespace

Fiber::Fiber(void (*body)()) {
    boost::context::protected_fixedsize_stack allocator(kStackBytes);
    const boost::context::stack_context stack = allocator.allocate();
    stack_bottom_ = static_cast<char*>(stack.sp) - stack.size;
    stack_bytes_ = stack.size;
    const boost::context::preallocated whole(stack.sp, stack.size, stack);
    context_ = boost::context::fiber(std::allocator_arg, whole, allocator,
                                     [this, body](boost::context::fiber&& from) -> boost::context::fiber {
                                         previous->context_ = std::move(from);
                                         arrive();
                                         body();
                                         std::abort();
                                     });
}

void Fiber::resume(Fiber& from) {
    previous = &from;
#if defined(EMULATOR_FIBERS_SANITIZED)
    __sanitizer_start_switch_fiber(&from.sanitizer_stack_, stack_bottom_, stack_bytes_);
#endif
    boost::context::fiber other = std::move(context_).resume();
    previous->context_ = std::move(other);
    from.arrive();
}

// The bounds of the program's own stack become known at the first switch away from it.
void Fiber::arrive() {
#if defined(EMULATOR_FIBERS_SANITIZED)
    const void* bottom = nullptr;
    size_t bytes = 0;
    __sanitizer_finish_switch_fiber(sanitizer_stack_, &bottom, &bytes);
    if (previous->stack_bottom_ == nullptr) {
        previous->stack_bottom_ = bottom;
        previous->stack_bytes_ = bytes;
    }
#endif
}

}  // namespace emulator
