#include "engine/backend/cuda/handles.h"

namespace residual::cuda {

Stream make_stream() {
    cudaStream_t stream = nullptr;
    CUDA_CALL(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    return Stream(stream);
}

Event make_event(unsigned flags) {
    cudaEvent_t event = nullptr;
    CUDA_CALL(cudaEventCreateWithFlags(&event, flags));
    return Event(event);
}

Cudnn make_cudnn(const Stream& stream) {
    cudnnHandle_t handle = nullptr;
    CUDA_CALL(cudnnCreate(&handle));
    Cudnn cudnn(handle);
    CUDA_CALL(cudnnSetStream(handle, stream.get()));
    return cudnn;
}

Cublas make_cublas(const Stream& stream) {
    cublasHandle_t handle = nullptr;
    CUDA_CALL(cublasCreate(&handle));
    Cublas cublas(handle);
    CUDA_CALL(cublasSetStream(handle, stream.get()));
    return cublas;
}

}  // namespace residual::cuda
