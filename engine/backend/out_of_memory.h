// Errors of a library that say no more than that memory ran out.
#pragma once

#include <exception>

namespace residual {

// Whether it is the standard library's or the CPU device's library's: they name neither the need nor the limit.
bool is_out_of_host_memory(const std::exception& error);

}  // namespace residual
