// The engine's messages when the GPU runs out of memory.
#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/cuda/check.h"
#include "tests/fakes/fixture.h"
#include "tests/support/array.h"

using namespace residual;

namespace {

constexpr int64_t kMiB = 1 << 20;

class SmallDevice {
  public:
    SmallDevice() { setenv("EMULATOR_MEMORY", std::to_string(128 * kMiB).c_str(), 1); }
    ~SmallDevice() { unsetenv("EMULATOR_MEMORY"); }
};

const std::string kRemedy = "stop other programs that use the GPU";

}  // namespace

TEST_CASE("a tensor too large for the GPU's memory: the message says what is needed and free, and the remedy") {
    const SmallDevice small;
    const auto gpu = make_cuda_backend({});
    const size_t before = gpu->arena().bytes_reserved();
    const Tensor kept = gpu->empty({40 * kMiB}, DType::kUInt8);
    std::string message;
    try {
        gpu->empty({60 * kMiB}, DType::kUInt8);
    } catch (const Error& error) {
        message = error.what();
    }
    size_t free_bytes = 0, total_bytes = 0;
    REQUIRE(cudaMemGetInfo(&free_bytes, &total_bytes) == cudaSuccess);
    CHECK(total_bytes == size_t{128} * kMiB);
    CHECK(free_bytes <= size_t{88} * kMiB);
    CHECK(message == fmt::format("out of memory: cannot allocate 60.0 MiB ({:.1f} MiB already allocated); the GPU has "
                                 "{:.1f} of 128.0 MiB free: {}",
                                 before / 1048576.0 + 40, free_bytes / 1048576.0, kRemedy));
    const Tensor x = gpu->zeros({4}, DType::kFloat32);  // the refusal leaves no error behind
    CHECK(test::download(*gpu, x).values == std::vector<double>(4, 0.0));
}

TEST_CASE("a library call that runs out of GPU memory also reports the remedy") {
    const SmallDevice small;
    CHECK_THROWS_WITH(cuda::check(cudaErrorMemoryAllocation, "cudaGraphInstantiate(x)"),
                      ContainsSubstring("cudaGraphInstantiate failed: cudaErrorMemoryAllocation") &&
                          ContainsSubstring("of 128.0 MiB free") && ContainsSubstring(kRemedy));
    CHECK_THROWS_WITH(cuda::check(CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED, "cudnnCreate(x)"),
                      ContainsSubstring("cudnnCreate failed") && ContainsSubstring(kRemedy));
    CHECK_THROWS_WITH(cuda::check(CUBLAS_STATUS_ALLOC_FAILED, "cublasCreate(x)"),
                      ContainsSubstring("cublasCreate failed") && ContainsSubstring(kRemedy));
    CHECK_THROWS_WITH(cuda::check(cudaErrorInvalidValue, "cudaMemcpy(x)"), !ContainsSubstring(kRemedy));
}
