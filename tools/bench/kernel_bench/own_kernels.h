// Access to the project's own kernels, even if the backend uses a library instead.
#pragma once

#include "engine/backend/kernel_backend.h"

namespace residual::bench {

// Calls f(exec) with the Exec, host or CUDA stream, on which the backend runs its kernels.
template <class F>
void with_exec(Backend& backend, F f) {
    if (const auto* host = dynamic_cast<KernelBackend<kernels::Host>*>(&backend)) {
        f(host->exec());
        return;
    }
#if defined(RESIDUAL_CUDA)
    f(dynamic_cast<KernelBackend<kernels::Cuda>&>(backend).exec());
#endif
}

}  // namespace residual::bench
