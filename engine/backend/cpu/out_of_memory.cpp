#include "engine/backend/out_of_memory.h"

#include <new>

#include "engine/backend/cpu/onednn.h"
#include "engine/core/error.h"
#include "engine/core/host_memory.h"

namespace residual {

bool is_out_of_host_memory(const std::exception& error) {
    if (const auto* library = dynamic_cast<const dnnl::error*>(&error)) return library->status == dnnl_out_of_memory;
    return dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
}

void rethrow_with_purpose(const std::exception& error, const std::string& purpose, const std::string& advice) {
    std::string details;
    if (const auto* out_of_memory = dynamic_cast<const OutOfMemoryError*>(&error)) {
        details = out_of_memory->details();
    } else if (is_out_of_host_memory(error)) {
        details = host_memory_advice(host_memory());
    } else {
        throw;
    }
    throw Error("out of memory for " + purpose + ": " + details + (advice.empty() ? "" : ", or " + advice));
}

}  // namespace residual
