// The devices under test.
#pragma once

#include <cstdio>
#include <memory>
#include <vector>

#include "engine/backend/backend.h"
#include "tests/catch.h"

namespace test {

// True, after printing the reason, if no CUDA device is available.
inline bool skipped_without_gpu() {
    const std::string reason = residual::why_no_cuda();
    if (!reason.empty()) std::printf("skipped: no GPU (%s)\n", reason.c_str());
    return !reason.empty();
}

// Fills the free part of the arena's first chunk with NaN, so that unwritten outputs are detected.
inline std::unique_ptr<residual::Backend> poisoned(std::unique_ptr<residual::Backend> backend) {
    const std::vector<uint8_t> bytes(size_t{7} << 20, 0xff);
    backend->from_host(bytes.data(), {static_cast<int64_t>(bytes.size())});
    return backend;
}

}  // namespace test

#define DEVICE_TEST_JOIN_(a, b) a##b
#define DEVICE_TEST_NAME_(line) DEVICE_TEST_JOIN_(device_test_, line)

// A test case with a parameter `Backend& backend`: runs on the CPU and, tagged [gpu], on CUDA if a GPU is available.
#define DEVICE_TEST_CASE(name, tags)                                          \
    static void DEVICE_TEST_NAME_(__LINE__)(residual::Backend & backend);     \
    TEST_CASE(name, tags) {                                                   \
        const auto backend = test::poisoned(residual::make_cpu_backend());    \
        DEVICE_TEST_NAME_(__LINE__)(*backend);                                \
    }                                                                         \
    TEST_CASE(name " on the GPU", tags "[gpu]") {                             \
        if (test::skipped_without_gpu()) return;                              \
        const auto backend = test::poisoned(residual::make_cuda_backend({})); \
        DEVICE_TEST_NAME_(__LINE__)(*backend);                                \
    }                                                                         \
    static void DEVICE_TEST_NAME_(__LINE__)(residual::Backend & backend)
