// What the emulator throws where a program does what the real device leaves undefined: never a wrong result in silence.
#pragma once

#include <stdexcept>

namespace emulator {

struct Fault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace emulator
