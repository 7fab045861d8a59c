// Out-of-memory errors whose messages say what the memory was for.
#pragma once

#include <exception>
#include <string>

namespace residual {

// Whether `error` is std::bad_alloc or oneDNN's out-of-memory error, which name neither the size requested nor the
// limit.
bool is_out_of_host_memory(const std::exception& error);

// Called while `error` is handled. If it is an out-of-memory error, throws Error("out of memory for <purpose>: ..."),
// with `advice`, if not empty, as a further remedy. Rethrows any other error.
[[noreturn]] void rethrow_with_purpose(const std::exception& error, const std::string& purpose,
                                       const std::string& advice = "");

}  // namespace residual
