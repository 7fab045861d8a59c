#include "engine/train/room.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace residual {

namespace {

double files_to_add(const RunFolder& folder, const CheckpointsToCome& expected) {
    const auto& [bytes, step, steps, config] = expected;
    const int64_t every = config.checkpoint_every, last = steps % every != 0 ? 1 : 0;
    const int64_t written = std::max<int64_t>(steps / every - step / every, 0) + last;
    const auto present = static_cast<int64_t>(folder.checkpoints().size());
    const int64_t numbered = config.keep ? std::clamp<int64_t>(*config.keep - present, 0, written) : written;
    const int64_t best = std::filesystem::exists(folder.best_path()) ? 0 : 1;
    return static_cast<double>(numbered) + static_cast<double>(best) + 1;
}

std::string mebibytes(double bytes) {
    return fmt::format("{:.1f} MiB", bytes / 1048576.0);
}

}  // namespace

std::string too_little_room(const RunFolder& folder, const CheckpointsToCome& expected) {
    const auto bytes = static_cast<double>(expected.bytes);
    rlimit limit{};
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        static_cast<double>(limit.rlim_cur) < bytes) {
        return fmt::format(
            "{}: a checkpoint takes {}, but this process may only write files of {}; raise the limit "
            "with ulimit -f",
            folder.path().string(), mebibytes(bytes), mebibytes(static_cast<double>(limit.rlim_cur)));
    }
    std::error_code unknown;
    const auto free = static_cast<double>(std::filesystem::space(folder.path(), unknown).available);
    const double files = files_to_add(folder, expected);
    const double needed = bytes * files;
    if (unknown || needed <= free) return "";
    return fmt::format(
        "{}: the {:.0f} checkpoints to come need {}, but only {} are free there; make room, choose a smaller "
        "run.keep{} or another folder with --out",
        folder.path().string(), files, mebibytes(needed), mebibytes(free),
        expected.config.keep ? "" : ", a larger run.checkpoint_every");
}

}  // namespace residual
