// Access to the project's own kernels, even if the backend uses a library instead.
#pragma once

#include "engine/backend/kernel_backend.h"
#include "kernels/host_targets.h"

namespace residual::bench {

// Calls f(exec) with the Exec, host or CUDA stream, on which the backend runs its kernels.
template <class F>
void with_exec(Backend& backend, F f) {
    kernels::for_each_host([&]<class Host>(Host) {
        if (const auto* host = dynamic_cast<KernelBackend<Host>*>(&backend)) f(host->exec());
    });
#if defined(RESIDUAL_CUDA)
    if (const auto* cuda = dynamic_cast<KernelBackend<kernels::Cuda>*>(&backend)) f(cuda->exec());
#endif
}

}  // namespace residual::bench
