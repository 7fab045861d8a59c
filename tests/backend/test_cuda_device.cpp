// What the program says where there is no CUDA device, and what the device says of itself where there is one.
#include <filesystem>

#include "tests/backend/cuda_and_cpu.h"
#include "tests/catch.h"

using namespace residual;

namespace {

std::string refusal_of_cuda() {
    try {
        make_cuda_backend({});
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

#ifdef RESIDUAL_CUDA_EMULATED
TEST_CASE("the emulated device can be used") {
    CHECK(why_no_cuda() == "");
}
#else
TEST_CASE("a machine without an NVIDIA device is told why it has no CUDA") {
    const bool none = !std::filesystem::exists("/dev/nvidiactl") && !std::filesystem::exists("/dev/dxg");
    if (!none) return;
    CHECK(why_no_cuda() != "");
}
#endif

TEST_CASE("the CUDA backend is refused for the reason that why_no_cuda gives, each time") {
    const std::string reason = why_no_cuda();
    CHECK(refusal_of_cuda() == reason);
    CHECK(why_no_cuda() == reason);
}

#ifdef RESIDUAL_CUDA
TEST_CASE("a build with CUDA does not say that it has none") {
    CHECK_THAT(why_no_cuda(), !ContainsSubstring("this build"));
}
#else
TEST_CASE("a build without CUDA says so and how to make one with it") {
    CHECK_THAT(why_no_cuda(), ContainsSubstring("RESIDUAL_CUDA=ON"));
}
#endif

TEST_CASE("the CUDA device describes itself and moves bytes", "[gpu]") {
    if (skipped_without_gpu()) return;
    const auto gpu = make_cuda_backend({});
    CHECK(gpu->device() == DeviceType::kCuda);
    CHECK_THAT(gpu->description(), ContainsSubstring("compute capability"));

    std::vector<float> values(1000);
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) - 500;
    const std::vector<float> original = values;
    const Tensor x = gpu->from_host(values.data(), {10, 100});
    values.assign(values.size(), 0);  // the upload must not depend on it any more
    const Tensor y = gpu->empty(x.shape(), x.dtype());
    gpu->copy(x, y);
    gpu->fill_zero(x);
    CHECK(values_of<float>(*gpu, y) == original);
    CHECK(values_of<float>(*gpu, x) == values);
}

TEST_CASE("memory that the GPU does not have is refused with the remedy", "[gpu]") {
    if (skipped_without_gpu()) return;
    const auto gpu = make_cuda_backend({});
    CHECK_THROWS_WITH(gpu->empty({int64_t{1} << 46}, DType::kUInt8), ContainsSubstring("train.batch_size"));
    const Tensor x = gpu->zeros({4}, DType::kFloat32);  // the refusal leaves no error behind
    CHECK(values_of<float>(*gpu, x) == std::vector<float>(4, 0.0f));
}
