// Replaces engine/backend/cuda/ in a build without CUDA.
#include "engine/backend/build_info.h"
#include "engine/backend/stopwatch.h"

namespace residual {

std::string why_no_cuda(int) {
    return "this build has no CUDA support; install a CUDA toolkit and configure with -DRESIDUAL_CUDA=ON";
}

std::string cuda_version() {
    return "none";
}
std::string cudnn_version() {
    return "none";
}

std::unique_ptr<Backend> make_cuda_backend(const CudaOptions& options) {
    throw InputError(why_no_cuda(options.device));
}

std::unique_ptr<Stopwatch> make_cuda_stopwatch(Backend&) {
    throw InputError(why_no_cuda(0));
}

}  // namespace residual
