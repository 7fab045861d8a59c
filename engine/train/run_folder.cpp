#include "engine/train/run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"

namespace engine {

namespace {

constexpr std::string_view kPrefix = "step-", kSuffix = ".safetensors";
constexpr const char* kConfig = "config.json";

std::string reason_of(int error) {
    return std::system_category().message(error);
}

void remove_file(const std::filesystem::path& path) {
    if (unlink(path.c_str()) == 0 || errno == ENOENT) return;
    throw Error(fmt::format("cannot remove {}: {}", path.string(), reason_of(errno)));
}

// "step-00064000.safetensors" -> 64000; nothing for any other name.
std::optional<int64_t> step_in(std::string_view name) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
    name.remove_prefix(kPrefix.size());
    name.remove_suffix(std::min(name.size(), kSuffix.size()));
    int64_t step = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
    const bool whole = error == std::errc() && end == name.data() + name.size();
    return whole && name.size() >= 8 && name.front() != '-' ? std::optional(step) : std::nullopt;
}

bool is_unfinished(const std::string& name) {
    // A temporary name begins with the name that the file was to get.
    const std::string final_name = name.substr(0, name.find(".tmp-"));
    const bool ours = step_in(final_name) || final_name == "best.safetensors" || final_name == "last.safetensors" ||
                      final_name == kConfig || final_name == "metrics.jsonl";
    return ours && is_temporary_name(name, final_name);
}

}  // namespace

RunFolder::RunFolder(std::filesystem::path path) : path_(std::move(path)) {
    std::error_code error;
    const bool made = std::filesystem::create_directories(path_, error);
    if (error) throw Error(fmt::format("{}: the folder cannot be made: {}", path_.string(), error.message()));
    if (made) flush_folder(path_ / "..");
    lock();
    remove_unfinished();
}

RunFolder::~RunFolder() {
    if (lock_ >= 0) close(lock_);
}

// The system gives the lock back when the process ends, however it ends. The file stays: a name that is removed while
// somebody else waits for its lock would be locked twice.
void RunFolder::lock() {
    const std::filesystem::path file = path_ / ".lock";
    lock_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock_ < 0) throw Error(fmt::format("cannot open {}: {}", file.string(), reason_of(errno)));
    if (flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
    const int reason = errno;
    close(lock_);
    lock_ = -1;
    if (reason == EWOULDBLOCK) {
        throw InputError(
            fmt::format("{}: another process trains there; wait for it, or choose another folder with "
                        "--out",
                        path_.string()));
    }
    throw Error(fmt::format("cannot lock {}: {}", file.string(), reason_of(reason)));
}

void RunFolder::remove_unfinished() const {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
        if (is_unfinished(entry.path().filename().string())) remove_file(entry.path());
    }
}

bool RunFolder::holds_run() const {
    return std::filesystem::exists(path_ / kConfig) || std::filesystem::exists(metrics_path()) ||
           std::filesystem::exists(best_path()) || !checkpoints().empty();
}

void RunFolder::refuse_run() const {
    if (!holds_run()) return;
    throw InputError(
        fmt::format("{}: the folder already holds a run; go on with it with --resume, or choose another "
                    "with --out",
                    path_.string()));
}

void RunFolder::write_config(const std::string& config) const {
    write_file_atomically(path_ / kConfig, std::as_bytes(std::span(config)));
}

std::filesystem::path RunFolder::checkpoint_path(int64_t step) const {
    return path_ / fmt::format("{}{:08}{}", kPrefix, step, kSuffix);
}

std::vector<RunFolder::Numbered> RunFolder::checkpoints() const {
    std::vector<Numbered> found;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
        if (const auto step = step_in(entry.path().filename().string())) found.push_back({*step, entry.path()});
    }
    std::sort(found.begin(), found.end(), [](const Numbered& a, const Numbered& b) { return a.step > b.step; });
    return found;
}

void RunFolder::settle(int64_t step, int64_t keep) const {
    const std::filesystem::path newest = checkpoint_path(step);
    if (!link_atomically(last_path(), newest.filename())) copy_file_atomically(newest, last_path());
    prune(step, keep);
}

void RunFolder::prune(int64_t step, int64_t keep) const {
    int64_t newer = 0;
    for (const Numbered& checkpoint : checkpoints()) {
        // One of a later step can only be damaged: it must not push out what is good.
        if (checkpoint.step > step || ++newer <= keep) continue;
        remove_file(checkpoint.path);
    }
}

}  // namespace engine
