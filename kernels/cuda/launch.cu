#include "kernels/cuda/launch.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace residual::kernels {
namespace {

std::string kernel_name([[maybe_unused]] const void* kernel) {
#if CUDART_VERSION >= 12030
    const char* name = nullptr;
    if (cudaFuncGetName(&name, kernel) == cudaSuccess && name != nullptr) {
        int status = 0;
        const std::unique_ptr<char, decltype(&std::free)> readable(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                                   &std::free);
        return status == 0 ? readable.get() : name;
    }
#endif
    return "a kernel";
}

std::string text(dim3 size) {
    return std::to_string(size.x) + "x" + std::to_string(size.y) + "x" + std::to_string(size.z);
}

}  // namespace

void throw_launch_error(const void* kernel, dim3 grid, dim3 block, size_t shared_bytes, cudaError_t error) {
    throw LaunchError("could not launch " + kernel_name(kernel) + " with " + text(grid) + " blocks of " + text(block) +
                      " threads and " + std::to_string(shared_bytes) +
                      " bytes of shared memory: " + cudaGetErrorName(error) + ", " + cudaGetErrorString(error));
}

}  // namespace residual::kernels
