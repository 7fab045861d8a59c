// A training step in bfloat16, composed and fused, compared with PyTorch's float64 and autocast.
#include "tests/fused_step/step.h"
#include "tests/support/devices.h"
#include "tests/support/reference_fused.h"

using namespace test;

namespace {

bool all_fused(residual::Backend& backend, const char* name) {
    // The convolutions of a network of depth 8 after the stem.
    const struct {
        int height, in, out, stride;
    } convolutions[] = {{32, 16, 16, 1}, {32, 16, 32, 2}, {16, 32, 32, 1}, {16, 32, 64, 2}, {8, 64, 64, 1}};
    residual::FusedOps* fused = backend.fused();
    if (fused == nullptr) return false;
    for (const auto& c : convolutions) {
        INFO(name);
        const auto params = residual::ops::conv_params({4, c.height, c.height, c.in}, {c.out, 3, 3, c.in}, c.stride,
                                                       residual::ops::Padding::kSame);
        if (!fused->has_bn_relu_conv(params, residual::DType::kBFloat16)) return false;
    }
    const auto stem = residual::ops::conv_params({4, 32, 32, 3}, {16, 3, 3, 3}, 1, residual::ops::Padding::kSame);
    return fused->has_stem(stem, residual::DType::kBFloat16) &&
           fused->has_classifier({4, 8, 8, 64}, {10, 64}, residual::DType::kBFloat16);
}

}  // namespace

TEST_CASE("a step in bfloat16 is as close to float64 as PyTorch's autocast", "[fused_step]") {
    for (const char* name : kNarrowNetworks) {
        const GoldenFile golden(name);
        for (const bool fused : {false, true}) {
            INFO(name << (fused ? ", fused" : ", composed"));
            check_near_float64(one_step(fused ? make_reference_fused_backend() : residual::make_cpu_backend(), golden),
                               golden);
        }
    }
}

TEST_CASE("a fused step matches plain loops with the same rounding, and is as close to float64 as PyTorch's autocast",
          "[fused_step][gpu]") {
    if (skipped_without_gpu()) return;
    for (const char* name : kNarrowNetworks) {
        INFO(name);
        const GoldenFile golden(name);
        auto backend = residual::make_cuda_backend({.fused = true});
        REQUIRE(all_fused(*backend, name));
        const Step step = one_step(std::move(backend), golden);
        check_alike(step, one_step(make_reference_fused_backend(), golden));
        check_near_float64(step, golden);
    }
}
