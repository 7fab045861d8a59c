// Messages about missing CUDA devices, and basic functions of the CUDA backend.
#include <filesystem>

#include "tests/backend/cuda_and_cpu.h"
#include "tests/catch.h"

using namespace residual;

namespace {

std::string cuda_error() {
    try {
        make_cuda_backend({});
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

#ifdef RESIDUAL_CUDA_EMULATED
TEST_CASE("the emulated device is available") {
    CHECK(why_no_cuda() == "");
}
#else
TEST_CASE("why_no_cuda gives a reason on a machine without an NVIDIA device") {
    if (std::filesystem::exists("/dev/nvidiactl") || std::filesystem::exists("/dev/dxg")) return;
    CHECK(why_no_cuda() != "");
}
#endif

TEST_CASE("make_cuda_backend fails with the reason that why_no_cuda gives, repeatedly") {
    const std::string reason = why_no_cuda();
    CHECK(cuda_error() == reason);
    CHECK(why_no_cuda() == reason);
}

#ifdef RESIDUAL_CUDA
TEST_CASE("a build with CUDA does not report missing CUDA support") {
    CHECK_THAT(why_no_cuda(), !ContainsSubstring("this build"));
}
#else
TEST_CASE("a build without CUDA explains how to enable it") {
    CHECK_THAT(why_no_cuda(), ContainsSubstring("RESIDUAL_CUDA=ON"));
}
#endif

TEST_CASE("the CUDA backend describes itself and copies memory", "[gpu]") {
    if (skipped_without_gpu()) return;
    const auto gpu = make_cuda_backend({});
    CHECK(gpu->device() == DeviceType::kCuda);
    CHECK_THAT(gpu->description(), ContainsSubstring("compute capability"));

    std::vector<float> values(1000);
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) - 500;
    const std::vector<float> original = values;
    const Tensor x = gpu->from_host(values.data(), {10, 100});
    values.assign(values.size(), 0);  // from_host() must have copied the values
    const Tensor y = gpu->empty(x.shape(), x.dtype());
    gpu->copy(x, y);
    gpu->fill_zero(x);
    CHECK(values_of<float>(*gpu, y) == original);
    CHECK(values_of<float>(*gpu, x) == values);
}

TEST_CASE("an allocation larger than the GPU's memory fails with a remedy", "[gpu]") {
    if (skipped_without_gpu()) return;
    const auto gpu = make_cuda_backend({});
    CHECK_THROWS_WITH(gpu->empty({int64_t{1} << 46}, DType::kUInt8), ContainsSubstring("stop other programs"));
    const Tensor x = gpu->zeros({4}, DType::kFloat32);  // the failure leaves no CUDA error pending
    CHECK(values_of<float>(*gpu, x) == std::vector<float>(4, 0.0f));
}
