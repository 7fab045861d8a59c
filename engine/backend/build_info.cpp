#include "engine/backend/build_info.h"

#include <fmt/format.h>

#include <string_view>

namespace residual {

std::string build_info() {
    constexpr std::string_view commit = RESIDUAL_COMMIT;
#if defined(__clang__)
    constexpr std::string_view compiler = "Clang " __clang_version__;
#else
    constexpr std::string_view compiler = "GCC " __VERSION__;
#endif
    return fmt::format("version {}\ncommit {}\ncompiler {}\nCUDA {}\ncuDNN {}\noneDNN {}", RESIDUAL_VERSION,
                       commit.empty() ? "unknown" : commit, compiler, cuda_version(), cudnn_version(),
                       onednn_version());
}

}  // namespace residual
