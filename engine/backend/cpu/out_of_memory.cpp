#include "engine/backend/out_of_memory.h"

#include <new>

#include "engine/backend/cpu/onednn.h"

namespace residual {

bool is_out_of_host_memory(const std::exception& error) {
    if (const auto* library = dynamic_cast<const dnnl::error*>(&error)) return library->status == dnnl_out_of_memory;
    return dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
}

}  // namespace residual
