// Fused kernels on a GPU with less shared memory per block than some of them need.
#include <cstdlib>

#include "engine/ops/conv.h"
#include "tests/catch.h"

using namespace residual;

namespace {

class SharedMemory {
  public:
    explicit SharedMemory(const char* bytes) { setenv("EMULATOR_SHARED_MEMORY", bytes, 1); }
    ~SharedMemory() { unsetenv("EMULATOR_SHARED_MEMORY"); }
};

bool fuses(Backend& backend, int side, int channels) {
    const auto params = ops::conv_params({2, side, side, channels}, {channels, 3, 3, channels}, 1, ops::Padding::kSame);
    return backend.fused()->has_bn_relu_conv(params, DType::kBFloat16);
}

}  // namespace

TEST_CASE("shapes that need more shared memory than the GPU has are composed, the others fused", "[fused_step]") {
    {
        const SharedMemory small("101376");  // 99 KiB
        const auto backend = make_cuda_backend({.fused = true});
        CHECK(fuses(*backend, 32, 16));
        CHECK(fuses(*backend, 16, 32));
        CHECK_FALSE(fuses(*backend, 8, 64));
        CHECK_THAT(backend->description(), ContainsSubstring("only 101376 bytes of shared memory") &&
                                               ContainsSubstring("64 to 64 channels with stride 1"));
    }
    const auto backend = make_cuda_backend({.fused = true});
    CHECK(fuses(*backend, 8, 64));
    CHECK_THAT(backend->description(), !ContainsSubstring("shared memory"));
}
