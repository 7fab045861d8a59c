// In place of engine/backend/cuda/ where the build has no CUDA.
#include "engine/backend/stopwatch.h"

namespace engine {

std::string why_no_cuda() {
    return "this build has no CUDA (configure with -DENGINE_CUDA=ON where a CUDA toolkit stands)";
}

std::unique_ptr<Backend> make_cuda_backend(const CudaOptions&) {
    throw InputError(why_no_cuda());
}

std::unique_ptr<Stopwatch> make_cuda_stopwatch(Backend&) {
    throw InputError(why_no_cuda());
}

}  // namespace engine
