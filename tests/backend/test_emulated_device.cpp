// GPUs that cannot be used, as the emulated runtime imitates them.
#include "engine/backend/backend.h"
#include "tests/catch.h"
#include "tests/support/environment.h"

using namespace residual;
using test::Environment;

namespace {

// The message of make_cuda_backend() if the runtime fails as EMULATOR_FAILURES says.
std::string message_with(const std::string& failures) {
    const Environment failing("EMULATOR_FAILURES", failures);
    try {
        make_cuda_backend({});
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("a GPU below compute capability 8.0 is refused with its name and capability") {
    const Environment old("EMULATOR_CAPABILITY", "75");
    CHECK(why_no_cuda() ==
          "CUDA is unavailable: the GPU (Emulated GPU 0) has compute capability 7.5, but 8.0 or newer is required; use "
          "another GPU or the CPU");
}

TEST_CASE("a missing fabric manager is named") {
    CHECK_THAT(message_with("cudaGetDeviceCount=802"),
               StartsWith("CUDA is unavailable: cudaErrorSystemNotReady") && ContainsSubstring("nvidia-fabricmanager"));
}

TEST_CASE("a GPU that another process holds in exclusive-process mode: the remedy, wherever the context is created") {
    for (const char* function : {"cudaSetDevice", "cudaFuncGetAttributes", "cudaStreamCreateWithFlags"}) {
        INFO(function);
        CHECK_THAT(message_with(function + std::string("=46")),
                   ContainsSubstring("cudaErrorDevicesUnavailable") && ContainsSubstring("nvidia-smi -c DEFAULT"));
    }
    CHECK_THAT(message_with("cudaSetDevice=46"), StartsWith("CUDA is unavailable: the GPU (Emulated GPU 0) cannot be"));
}

TEST_CASE("without a GPU, the message gives CUDA_VISIBLE_DEVICES only if it is set") {
    CHECK_THAT(message_with("cudaGetDeviceCount=100"),
               StartsWith("CUDA is unavailable: the driver finds no GPU") && !ContainsSubstring("VISIBLE"));
    const Environment hidden("CUDA_VISIBLE_DEVICES", "3,4");
    CHECK_THAT(message_with("cudaGetDeviceCount=100"), ContainsSubstring("CUDA_VISIBLE_DEVICES is \"3,4\""));
    const Environment none("EMULATOR_DEVICES", "0");
    CHECK_THAT(message_with(""), ContainsSubstring("CUDA_VISIBLE_DEVICES is \"3,4\""));
}

TEST_CASE("a GPU for which there is no machine code: the message gives the option that adds it") {
    CHECK_THAT(message_with("cudaFuncGetAttributes=209"),
               ContainsSubstring("not built for the GPU (Emulated GPU 0, compute capability 9.0), only for 9.0") &&
                   ContainsSubstring("-DCMAKE_CUDA_ARCHITECTURES=90"));
}

TEST_CASE("a GPU is chosen by its number; other numbers are refused with the number of GPUs") {
    const Environment two("EMULATOR_DEVICES", "2");
    for (const int device : {1, 0}) {
        CHECK(why_no_cuda(device) == "");
        CHECK_THAT(make_cuda_backend({.device = device})->description(),
                   StartsWith("Emulated GPU " + std::to_string(device) + " (compute capability"));
    }
    CHECK_THAT(why_no_cuda(2), StartsWith("CUDA is unavailable: there is no GPU number 2 (cuda:2), only 2 GPUs"));
    CHECK_THROWS_AS(make_cuda_backend({.device = 2}), InputError);
}

TEST_CASE("a device that could not be used can be used later") {
    CHECK(message_with("cudaSetDevice=46") != "");
    CHECK(message_with("") == "");
}
