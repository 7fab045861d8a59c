// Calls of the project's own kernels, although the backend may use a library instead.
#pragma once

#include "engine/backend/kernel_backend.h"

namespace residual::bench {

// Calls f(exec) with the place where the backend's kernels run.
template <class F>
void with_place(Backend& backend, F f) {
    if (const auto* host = dynamic_cast<KernelBackend<kernels::Host>*>(&backend)) {
        f(host->exec());
        return;
    }
#if defined(RESIDUAL_CUDA)
    f(dynamic_cast<KernelBackend<kernels::Cuda>&>(backend).exec());
#endif
}

}  // namespace residual::bench
