// Formatting for messages.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <source_location>
#include <string>

namespace emulator {

inline std::string text(const uint3& v) {
    return "(" + std::to_string(v.x) + ", " + std::to_string(v.y) + ", " + std::to_string(v.z) + ")";
}
inline std::string text(const std::source_location& place) {
    return std::string(place.file_name()) + ":" + std::to_string(place.line());
}
std::string hex(uint64_t value);
// The demangled name of a function of this program; "a kernel" if the program has no symbols.
const std::string& function_name(const void* function);
// Its mangled name; null if the program has no symbols.
const char* linker_name(const void* function);

}  // namespace emulator
