#include "engine/backend/build_info.h"

#include <fmt/format.h>

#include <string_view>

namespace residual {

namespace {

constexpr std::string_view kCommit = std::string_view(RESIDUAL_COMMIT).empty() ? "unknown" : RESIDUAL_COMMIT;

}  // namespace

std::string version_and_commit() {
    return fmt::format("{} (commit {})", RESIDUAL_VERSION, kCommit);
}

std::string build_info() {
#if defined(__clang__)
    constexpr std::string_view compiler = "Clang " __clang_version__;
#else
    constexpr std::string_view compiler = "GCC " __VERSION__;
#endif
    return fmt::format("version {}\ncommit {}\ncompiler {}\nCUDA {}\ncuDNN {}\noneDNN {}", RESIDUAL_VERSION, kCommit,
                       compiler, cuda_version(), cudnn_version(), onednn_version());
}

}  // namespace residual
