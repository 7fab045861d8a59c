// The fake of the CUDA runtime: launch limits, streams, events, captures and what they forbid, operation counts.
#include "tests/emulator/fixture.h"

using namespace emulator_test;
using residual::kernels::launch;
using residual::kernels::LaunchError;

namespace {

__global__ void add_one(int* target) {
    const unsigned thread = threadIdx.x + threadIdx.y + threadIdx.z, block = blockIdx.x + blockIdx.y + blockIdx.z;
    if (thread == 0 && block == 0) ++*target;
}
__global__ void add(const int* source, int* target) {
    *target += *source;
}

std::string refusal(dim3 grid, dim3 block, size_t shared_bytes = 0) {
    const Array<int> counter(std::vector<int>{0});
    try {
        launch(add_one, grid, block, shared_bytes, nullptr, counter.data());
    } catch (const LaunchError& error) {
        CHECK(counter.read()[0] == 0);
        return error.what();
    }
    CHECK(counter.read()[0] == 1);
    return "";
}

class Stream {
  public:
    explicit Stream(unsigned flags = cudaStreamNonBlocking) {
        REQUIRE(cudaStreamCreateWithFlags(&stream_, flags) == cudaSuccess);
    }
    ~Stream() { cudaStreamDestroy(stream_); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    operator cudaStream_t() const { return stream_; }

  private:
    cudaStream_t stream_ = nullptr;
};

// The result of `call` while the stream is capturing, and the result of ending the capture.
template <class Call>
std::pair<cudaError_t, cudaError_t> in_capture(const Stream& stream, cudaStreamCaptureMode mode, Call call) {
    REQUIRE(cudaStreamBeginCapture(stream, mode) == cudaSuccess);
    const cudaError_t result = call();
    cudaGraph_t graph = nullptr;
    const cudaError_t end = cudaStreamEndCapture(stream, &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
    cudaGetLastError();
    return {result, end};
}

using Results = std::pair<cudaError_t, cudaError_t>;
constexpr auto kThreadLocal = cudaStreamCaptureModeThreadLocal, kRelaxed = cudaStreamCaptureModeRelaxed;

}  // namespace

TEST_CASE("a launch beyond the device's limits fails with the device's error and clears cudaGetLastError") {
    CHECK(refusal(1, 1024) == "");
    CHECK(refusal(1, dim3(2, 8, 64)) == "");
    CHECK(refusal(dim3(1, 2, 3), 1) == "");
    CHECK(refusal(1, 32, 48 << 10) == "");
    CHECK_THAT(refusal(1, 1025), ContainsSubstring("cudaErrorInvalidConfiguration"));
    CHECK_THAT(refusal(1, 0), ContainsSubstring("cudaErrorInvalidConfiguration"));
    CHECK_THAT(refusal(1, dim3(1, 1, 65)), ContainsSubstring("cudaErrorInvalidConfiguration"));
    CHECK_THAT(refusal(dim3(1, 65536), 1), ContainsSubstring("cudaErrorInvalidConfiguration"));
    CHECK_THAT(refusal(dim3(1, 1, 65536), 1), ContainsSubstring("cudaErrorInvalidConfiguration"));
    CHECK_THAT(refusal(1, 32, (48 << 10) + 1), ContainsSubstring("cudaErrorInvalidValue"));
    CHECK_THAT(refusal(1, 1025), ContainsSubstring("add_one") && ContainsSubstring("1025x1x1 threads"));
    CHECK(cudaGetLastError() == cudaSuccess);
}

TEST_CASE("a kernel can opt in to more than 48 KiB of shared memory, up to the device's limit") {
    const auto opt_in = [](int bytes) {
        return cudaFuncSetAttribute(add_one, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    };
    CHECK(opt_in(100 << 10) == cudaSuccess);
    CHECK(refusal(1, 32, 100 << 10) == "");
    CHECK_THAT(refusal(1, 32, (100 << 10) + 1), ContainsSubstring("cudaErrorInvalidValue"));
    CHECK(opt_in(227 << 10) == cudaSuccess);
    CHECK(opt_in((227 << 10) + 1) == cudaErrorInvalidValue);
    {
        const ScopedEnvironment small("EMULATOR_SHARED_MEMORY", "101376");
        cudaDeviceProp properties{};
        CHECK(cudaGetDeviceProperties(&properties, 0) == cudaSuccess);
        CHECK(properties.sharedMemPerBlockOptin == 101376);
        CHECK(opt_in(101376) == cudaSuccess);
        CHECK(opt_in(101377) == cudaErrorInvalidValue);
    }
    CHECK(opt_in(48 << 10) == cudaSuccess);
    cudaGetLastError();
}

TEST_CASE("a replay equals eager execution on the current data; a capture runs nothing") {
    const Stream stream;
    const Array<int> source(std::vector<int>{5}), target(std::vector<int>{0}), copy(std::vector<int>{0});
    const auto work = [&] {
        launch(add, 1, 1, 0, stream, source.data(), target.data());
        REQUIRE(cudaMemcpyAsync(copy.data(), target.data(), sizeof(int), cudaMemcpyDeviceToDevice, stream) ==
                cudaSuccess);
        launch(add, 1, 1, 0, stream, copy.data(), target.data());
        REQUIRE(cudaMemsetAsync(copy.data(), 0, sizeof(int), stream) == cudaSuccess);
    };
    REQUIRE(cudaStreamBeginCapture(stream, kThreadLocal) == cudaSuccess);
    work();
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    CHECK(cudaStreamIsCapturing(stream, &status) == cudaSuccess);
    CHECK(status == cudaStreamCaptureStatusActive);
    cudaGraph_t graph = nullptr;
    REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
    CHECK(target.read()[0] == 0);
    size_t nodes = 0;
    CHECK(cudaGraphGetNodes(graph, nullptr, &nodes) == cudaSuccess);
    CHECK(nodes == 4);
    cudaGraphExec_t executable = nullptr;
    REQUIRE(cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess);
    CHECK(cudaGraphDestroy(graph) == cudaSuccess);

    emulator::reset_counts();
    int expected = 0;
    for (const int value : {5, 7, -3}) {
        source.write({value});
        REQUIRE(cudaGraphLaunch(executable, stream) == cudaSuccess);
        expected = 2 * (expected + value);
        CHECK(target.read()[0] == expected);
    }
    CHECK(emulator::counts().graph_launches == 3);
    CHECK(emulator::counts().kernels == 6);
    CHECK(emulator::counts().memsets == 3);
    CHECK(cudaGraphExecDestroy(executable) == cudaSuccess);
    CHECK(cudaGraphLaunch(executable, stream) == cudaErrorInvalidValue);
    cudaGetLastError();
}

TEST_CASE("calls that a capture forbids are refused") {
    const Stream stream;
    const Array<int> device(1);
    int host = 0;
    const Results invalidated{cudaErrorStreamCaptureUnsupported, cudaErrorStreamCaptureInvalidated};
    CHECK(in_capture(stream, kThreadLocal, [&] { return cudaStreamSynchronize(stream); }) == invalidated);
    CHECK(in_capture(stream, kRelaxed, [&] { return cudaStreamSynchronize(stream); }) == invalidated);
    CHECK(in_capture(stream, kThreadLocal, [&] { return cudaDeviceSynchronize(); }) == invalidated);
    CHECK(in_capture(stream, kThreadLocal, [&] {
              return cudaMemcpyAsync(device.data(), &host, sizeof host, cudaMemcpyHostToDevice, stream);
          }) == invalidated);
    void* pointer = nullptr;
    CHECK(in_capture(stream, kThreadLocal, [&] { return cudaMalloc(&pointer, 16); }).first ==
          cudaErrorStreamCaptureUnsupported);
    CHECK(in_capture(stream, kThreadLocal, [&] { return cudaFree(device.data()); }).first ==
          cudaErrorStreamCaptureUnsupported);
    CHECK(in_capture(stream, kRelaxed, [&] { return cudaMalloc(&pointer, 16); }) == Results{cudaSuccess, cudaSuccess});
    CHECK(cudaFree(pointer) == cudaSuccess);
    CHECK(cudaStreamBeginCapture(nullptr, kThreadLocal) == cudaErrorStreamCaptureUnsupported);
    cudaGraph_t graph = nullptr;
    CHECK(cudaStreamEndCapture(stream, &graph) == cudaErrorIllegalState);
    cudaGetLastError();
}

TEST_CASE("a copy to pinned host memory can be captured") {
    const Stream stream;
    const Array<int> device(std::vector<int>{3});
    int* host = nullptr;
    REQUIRE(cudaMallocHost(&host, sizeof(int)) == cudaSuccess);
    CHECK(in_capture(stream, kThreadLocal, [&] {
              return cudaMemcpyAsync(host, device.data(), sizeof(int), cudaMemcpyDeviceToHost, stream);
          }) == Results{cudaSuccess, cudaSuccess});
    CHECK(cudaFreeHost(host) == cudaSuccess);
}

TEST_CASE("the default stream is refused while a stream that synchronises with it is capturing") {
    const Array<int> device(std::vector<int>{3});
    const auto use_default = [&] { return cudaMemsetAsync(device.data(), 0, sizeof(int), nullptr); };
    const Stream blocking(cudaStreamDefault), non_blocking(cudaStreamNonBlocking);
    CHECK(in_capture(blocking, kThreadLocal, use_default) ==
          Results{cudaErrorStreamCaptureImplicit, cudaErrorStreamCaptureInvalidated});
    CHECK(in_capture(non_blocking, kThreadLocal, use_default) == Results{cudaSuccess, cudaSuccess});
}

TEST_CASE("a destroyed stream or event is refused") {
    cudaStream_t destroyed = nullptr;
    REQUIRE(cudaStreamCreateWithFlags(&destroyed, cudaStreamNonBlocking) == cudaSuccess);
    REQUIRE(cudaStreamDestroy(destroyed) == cudaSuccess);
    const Array<int> device(1);
    CHECK(cudaMemsetAsync(device.data(), 0, sizeof(int), destroyed) == cudaErrorInvalidResourceHandle);
    CHECK(cudaStreamSynchronize(destroyed) == cudaErrorInvalidResourceHandle);
    CHECK(cudaStreamDestroy(destroyed) == cudaErrorInvalidResourceHandle);
    cudaEvent_t start = nullptr, end = nullptr;
    REQUIRE(cudaEventCreate(&start) == cudaSuccess);
    REQUIRE(cudaEventCreate(&end) == cudaSuccess);
    float milliseconds = -1;
    CHECK(cudaEventElapsedTime(&milliseconds, start, end) == cudaErrorInvalidResourceHandle);
    CHECK(cudaEventRecord(start, nullptr) == cudaSuccess);
    CHECK(cudaEventRecord(end, nullptr) == cudaSuccess);
    CHECK(cudaEventElapsedTime(&milliseconds, start, end) == cudaSuccess);
    CHECK(milliseconds >= 0);
    CHECK(cudaEventDestroy(start) == cudaSuccess);
    CHECK(cudaEventDestroy(end) == cudaSuccess);
    CHECK(cudaEventRecord(end, nullptr) == cudaErrorInvalidResourceHandle);
    cudaGetLastError();
}

TEST_CASE("a held event completes when a stream is waited for") {
    const Stream stream;
    cudaEvent_t event = nullptr;
    REQUIRE(cudaEventCreateWithFlags(&event, cudaEventDisableTiming) == cudaSuccess);
    CHECK(cudaEventRecord(event, stream) == cudaSuccess);
    CHECK(cudaEventQuery(event) == cudaSuccess);
    emulator::hold_events(true);
    CHECK(cudaEventRecord(event, stream) == cudaSuccess);
    CHECK(cudaEventQuery(event) == cudaErrorNotReady);
    CHECK(cudaGetLastError() == cudaErrorNotReady);
    CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
    CHECK(cudaEventQuery(event) == cudaSuccess);
    emulator::hold_events(false);
    CHECK(cudaEventDestroy(event) == cudaSuccess);
}

TEST_CASE("operations are counted by kind and name; a dry run only counts") {
    const Array<int> counter(std::vector<int>{0});
    emulator::reset_counts();
    emulator::set_dry(true);
    for (int i = 0; i < 3; ++i) launch(add_one, 1, 1, 0, nullptr, counter.data());
    CHECK(cudaMemset(counter.data(), 1, sizeof(int)) == cudaSuccess);
    emulator::set_dry(false);
    CHECK(emulator::counts().kernels == 3);
    CHECK(emulator::counts().memsets == 1);
    CHECK(emulator::counts().memcpys == 0);
    CHECK(emulator::counts().total() == 4);
    int64_t named = 0;
    for (const auto& [name, count] : emulator::counts().by_name) {
        if (name.find("add_one") != std::string::npos) named += count;
    }
    CHECK(named == 3);
    CHECK(counter.read()[0] == 0);
}
