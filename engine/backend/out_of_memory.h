// Recognises out-of-memory errors that name neither the size requested nor the limit.
#pragma once

#include <exception>

namespace residual {

// Whether `error` is std::bad_alloc or oneDNN's out-of-memory error.
bool is_out_of_host_memory(const std::exception& error);

}  // namespace residual
