// Memory faults are detected. Those that AddressSanitizer reports abort the program, so they run in a child process.
#include "tests/emulator/fixture.h"

using namespace emulator_test;
using residual::kernels::dynamic_shared;
using residual::kernels::launch;

namespace {

constexpr int kThreads = 33;

__global__ void write_bytes(unsigned char* target, int64_t first, int count) {
    if (static_cast<int>(threadIdx.x) < count) target[first + threadIdx.x] = 1;
}
__global__ void read_byte(const unsigned char* source, int64_t at, unsigned char* target) {
    if (threadIdx.x == 0) *target = source[at];
}
__global__ void write_shared(int64_t at) {
    if (threadIdx.x == 0) dynamic_shared<unsigned char>()[at] = 1;
}
__global__ void show_shared(unsigned char* target) {
    target[threadIdx.x] = dynamic_shared<unsigned char>()[threadIdx.x];
    dynamic_shared<unsigned char>()[threadIdx.x] = 1;
}
__global__ void read_misaligned(const unsigned char* source, float* target) {
    *target = *reinterpret_cast<const float*>(source + 2);
}

std::string crash_of_write(int64_t first, int count) {
    const Array<unsigned char> bytes(kThreads);
    return crash_output_of([&] { launch(write_bytes, 1, kThreads, 0, nullptr, bytes.data(), first, count); });
}

std::string crash_of_shared_write(int64_t at) {
    return crash_output_of([&] { launch(write_shared, 1, kThreads, kThreads, nullptr, at); });
}

}  // namespace

TEST_CASE("an access one byte out of bounds of global memory aborts the program") {
    CHECK(crash_of_write(0, kThreads) == "");
    CHECK_THAT(crash_of_write(1, kThreads), ContainsSubstring("AddressSanitizer") && ContainsSubstring("write_bytes"));
    CHECK_THAT(crash_of_write(-1, 1), ContainsSubstring("AddressSanitizer"));
    CHECK_THAT(crash_of_write(4000, 1), ContainsSubstring("AddressSanitizer"));
    const Array<unsigned char> source(kThreads), target(1);
    const auto crash_of_read = [&](int64_t at) {
        return crash_output_of([&] { launch(read_byte, 1, 1, 0, nullptr, source.data(), at, target.data()); });
    };
    CHECK(crash_of_read(kThreads - 1) == "");
    CHECK_THAT(crash_of_read(kThreads), ContainsSubstring("AddressSanitizer"));
}

TEST_CASE("a write one byte out of bounds of shared memory aborts the program") {
    CHECK(crash_of_shared_write(kThreads - 1) == "");
    CHECK_THAT(crash_of_shared_write(kThreads), ContainsSubstring("AddressSanitizer"));
    CHECK_THAT(crash_of_shared_write(-1), ContainsSubstring("AddressSanitizer"));
    CHECK_THAT(crash_output_of([] { launch(write_shared, 1, 1, 0, nullptr, int64_t{0}); }),
               ContainsSubstring("AddressSanitizer"));
}

TEST_CASE("a write to freed memory aborts the program") {
    CHECK_THAT(crash_output_of([] {
                   unsigned char* bytes = nullptr;
                   cudaMalloc(&bytes, kThreads);
                   cudaFree(bytes);
                   launch(write_bytes, 1, kThreads, 0, nullptr, bytes, int64_t{0}, kThreads);
               }),
               ContainsSubstring("AddressSanitizer"));
}

TEST_CASE("a misaligned read aborts the program") {
    const Array<unsigned char> source(16);
    const Array<float> target(1);
    CHECK_THAT(crash_output_of([&] { launch(read_misaligned, 1, 1, 0, nullptr, source.data(), target.data()); }),
               ContainsSubstring("misaligned address"));
}

TEST_CASE("an element that is never written keeps its poison") {
    const Array<unsigned char> bytes(kThreads);
    launch(write_bytes, 1, kThreads, 0, nullptr, bytes.data(), int64_t{0}, kThreads - 1);
    const std::vector<unsigned char> values = bytes.read();
    CHECK(values[kThreads - 2] == 1);
    CHECK(values[kThreads - 1] == 0xff);
}

TEST_CASE("shared memory is poisoned at the start of every block") {
    const Array<unsigned char> bytes(kThreads);
    launch(show_shared, 4, kThreads, kThreads, nullptr, bytes.data());
    CHECK((bytes.read() == std::vector<unsigned char>(kThreads, 0xff)));
}

TEST_CASE("pointers outside live allocations are refused") {
    unsigned char *bytes = nullptr, host[8] = {};
    REQUIRE(cudaMalloc(&bytes, 8) == cudaSuccess);
    CHECK(cudaMemcpy(bytes, host, 8, cudaMemcpyHostToDevice) == cudaSuccess);
    CHECK(cudaMemcpy(bytes + 1, host, 8, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
    CHECK(cudaMemcpy(bytes, host, 8, cudaMemcpyDeviceToDevice) == cudaErrorInvalidValue);
    CHECK(cudaMemcpy(host, host, 8, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
    CHECK(cudaMemcpy(host, bytes, 8, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
    CHECK(cudaMemset(bytes, 0, 9) == cudaErrorInvalidValue);
    CHECK(cudaMemset(host, 0, 8) == cudaErrorInvalidValue);
    CHECK(cudaFree(bytes + 1) == cudaErrorInvalidValue);
    CHECK(cudaFree(host) == cudaErrorInvalidValue);
    CHECK(cudaFreeHost(bytes) == cudaErrorInvalidValue);
    CHECK(cudaFree(bytes) == cudaSuccess);
    CHECK(cudaFree(bytes) == cudaErrorInvalidValue);
    CHECK(cudaMemset(bytes, 0, 8) == cudaErrorInvalidValue);
    CHECK(cudaGetLastError() == cudaErrorInvalidValue);
    CHECK(cudaGetLastError() == cudaSuccess);
}
