#include "engine/backend/cuda/requirements.h"

#include <fmt/format.h>

namespace residual::cuda {

namespace {

constexpr int kLeastMajor = 8;

}  // namespace

std::string why_too_old(const std::string& gpu, int major, int minor) {
    if (major >= kLeastMajor) return "";
    return fmt::format(
        "the GPU ({}) has compute capability {}.{}, but {}.0 or newer is required; use another GPU or the CPU", gpu,
        major, minor, kLeastMajor);
}

std::string cudnn_version_text(size_t version) {
    return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

// cuDNN has promised compatibility within a major version since version 9, whose numbers are
// 10000 * major + 100 * minor + patch.
std::string why_other_cudnn(size_t built, size_t loaded) {
    if (built / 10000 == loaded / 10000 && loaded >= built) return "";
    return fmt::format(
        "the loader found cuDNN {}, but this program was built with cuDNN {}; install {}.x, not older than that, put "
        "its folder first in LD_LIBRARY_PATH, or build the program again with the installed cuDNN 9",
        cudnn_version_text(loaded), cudnn_version_text(built), built / 10000);
}

std::string why_no_gpu(const char* visible) {
    constexpr const char* kMig =
        "a GPU in MIG mode needs a MIG device (nvidia-smi mig -cgi PROFILE -C), or MIG disabled (nvidia-smi -mig 0)";
    if (visible != nullptr) {
        return fmt::format(
            "CUDA_VISIBLE_DEVICES is \"{}\", which selects no GPU; unset it, or set it to numbers or UUIDs that "
            "nvidia-smi -L lists; {}",
            visible, kMig);
    }
    return fmt::format("the driver finds no GPU; see whether nvidia-smi -L lists one; {}", kMig);
}

std::string why_no_such_gpu(int device, int count, const char* visible) {
    if (device >= 0 && device < count) return "";
    const std::string numbers =
        count == 1 ? "1 GPU, number 0" : fmt::format("{} GPUs, numbers 0 to {}", count, count - 1);
    const std::string hidden = visible == nullptr ? "" : fmt::format("; CUDA_VISIBLE_DEVICES is \"{}\"", visible);
    const char* const mig =
        count == 1 ? "; of several MIG devices a process uses only the one that CUDA_VISIBLE_DEVICES names" : "";
    return fmt::format("there is no GPU number {} (cuda:{}), only {}{}{}", device, device, numbers, hidden, mig);
}

std::string set_up_advice(cudaError_t status) {
    switch (status) {
        case cudaErrorSystemNotReady:
            return "GPUs that are connected by NVSwitch need the service nvidia-fabricmanager in the version of the "
                   "driver: install it, and start it (systemctl start nvidia-fabricmanager)";
        case cudaErrorDevicesUnavailable:
            return "another process may use the GPU in exclusive-process mode, or its mode prohibits all use: "
                   "nvidia-smi shows both; wait for that process, stop it, use another GPU, or allow several "
                   "processes (nvidia-smi -c DEFAULT)";
        case cudaErrorSystemDriverMismatch:
            return "the driver's library and kernel module have different versions: restart the machine after an "
                   "update of the driver; in a container, update the driver's libraries in it";
        default:
            return "";
    }
}

std::string error_text(cudaError_t status) {
    const std::string advice = set_up_advice(status);
    return fmt::format("{}: {}{}{}", cudaGetErrorName(status), cudaGetErrorString(status), advice.empty() ? "" : "; ",
                       advice);
}

}  // namespace residual::cuda
