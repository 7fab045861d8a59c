// Thrown when a program does something that is undefined on a real device.
#pragma once

#include <stdexcept>

namespace emulator {

struct Fault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace emulator
