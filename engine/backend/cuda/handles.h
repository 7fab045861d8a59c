// RAII owners of CUDA, cuDNN and cuBLAS handles.
#pragma once

#include <memory>
#include <type_traits>

#include "engine/backend/cuda/check.h"

namespace residual::cuda {

// Ignores the status that `destroy` returns.
template <auto destroy>
struct Destroy {
    template <class T>
    void operator()(T* handle) const noexcept {
        destroy(handle);
    }
};

template <class Handle, auto destroy>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Destroy<destroy>>;

using Stream = Owned<cudaStream_t, cudaStreamDestroy>;
using Event = Owned<cudaEvent_t, cudaEventDestroy>;
using Graph = Owned<cudaGraph_t, cudaGraphDestroy>;
using GraphExec = Owned<cudaGraphExec_t, cudaGraphExecDestroy>;
using Cudnn = Owned<cudnnHandle_t, cudnnDestroy>;
using Cublas = Owned<cublasHandle_t, cublasDestroy>;

// cuBLAS takes scaling factors by address.
inline constexpr float kOne = 1.0f;
inline constexpr float kZero = 0.0f;

Stream make_stream();
// `flags`: cudaEventDefault, or cudaEventDisableTiming for an event that is only waited for or queried.
Event make_event(unsigned flags);
// Queue work on `stream`, which must outlive them.
Cudnn make_cudnn(const Stream& stream);
Cublas make_cublas(const Stream& stream);

}  // namespace residual::cuda
