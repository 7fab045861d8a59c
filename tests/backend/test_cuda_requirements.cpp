// The messages about a GPU, a cuDNN or a machine that cannot be used. Needs CUDA's headers but no GPU.
#ifdef RESIDUAL_CUDA
#include "engine/backend/cuda/requirements.h"

#include "engine/backend/cuda/check.h"
#include "engine/core/error.h"
#include "tests/catch.h"

using namespace residual;
using namespace residual::cuda;

TEST_CASE("compute capability 8.0 or newer is required") {
    for (const int major : {8, 9, 10, 12}) CHECK(why_too_old("GPU", major, 0) == "");
    CHECK(why_too_old("Tesla T4", 7, 5) ==
          "the GPU (Tesla T4) has compute capability 7.5, but 8.0 or newer is required; use another GPU or the CPU");
}

TEST_CASE("cuDNN must have the major version of the build and not be older") {
    for (const size_t loaded : {91900, 91901, 92000, 99999}) CHECK(why_other_cudnn(91900, loaded) == "");
    for (const size_t loaded : {90100, 91899, 100000}) {
        INFO(loaded);
        CHECK_THAT(why_other_cudnn(91900, loaded),
                   ContainsSubstring("found cuDNN " + cudnn_version_text(loaded) + ", but") &&
                       ContainsSubstring("built with cuDNN 9.19.0;") && ContainsSubstring("LD_LIBRARY_PATH"));
    }
    CHECK(cudnn_version_text(91502) == "9.15.2");
}

TEST_CASE("without a GPU, the message gives CUDA_VISIBLE_DEVICES if it is set, and what MIG mode needs") {
    for (const char* visible : {"", "7", "GPU-mistyped"}) {
        CHECK_THAT(why_no_gpu(visible), StartsWith("CUDA_VISIBLE_DEVICES is \"" + std::string(visible) +
                                                   "\", which selects no GPU; unset it") &&
                                            ContainsSubstring("nvidia-smi mig -cgi"));
    }
    CHECK_THAT(why_no_gpu(nullptr),
               !ContainsSubstring("CUDA_VISIBLE_DEVICES") && ContainsSubstring("nvidia-smi mig -cgi"));
}

TEST_CASE("for a GPU number that does not exist, the message gives the numbers that do") {
    CHECK(why_no_such_gpu(0, 1, nullptr) == "");
    CHECK(why_no_such_gpu(3, 4, nullptr) == "");
    CHECK_THAT(why_no_such_gpu(4, 4, nullptr),
               StartsWith("there is no GPU number 4 (cuda:4), only 4 GPUs, numbers 0 to 3") &&
                   !ContainsSubstring("DEVICES is") && !ContainsSubstring("MIG"));
    CHECK_THAT(why_no_such_gpu(1, 1, "2"), StartsWith("there is no GPU number 1 (cuda:1), only 1 GPU, number 0; "
                                                      "CUDA_VISIBLE_DEVICES is \"2\"; of several MIG devices"));
}

TEST_CASE("errors of the machine's set-up have a remedy, wherever they arise") {
    CHECK_THAT(set_up_advice(cudaErrorSystemNotReady), ContainsSubstring("systemctl start nvidia-fabricmanager"));
    CHECK_THAT(set_up_advice(cudaErrorDevicesUnavailable),
               ContainsSubstring("exclusive-process mode") && ContainsSubstring("nvidia-smi -c DEFAULT"));
    CHECK_THAT(set_up_advice(cudaErrorSystemDriverMismatch), ContainsSubstring("restart the machine"));
    CHECK(set_up_advice(cudaErrorInvalidValue) == "");
    for (const cudaError_t status :
         {cudaErrorSystemNotReady, cudaErrorDevicesUnavailable, cudaErrorSystemDriverMismatch}) {
        CHECK_THROWS_WITH(check(status, "cudaStreamCreate(x)"),
                          StartsWith("cudaStreamCreate failed: cudaError") && EndsWith(set_up_advice(status)));
        CHECK_THAT(error_text(status), StartsWith("cudaError") && EndsWith("; " + set_up_advice(status)));
    }
}
#endif
