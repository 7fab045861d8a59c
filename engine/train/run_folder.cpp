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

#include "engine/io/atomic_file.h"

namespace residual {

namespace {

constexpr std::string_view kPrefix = "step-", kSuffix = ".safetensors";
constexpr const char* kConfig = "config.json";

void remove_file(const std::filesystem::path& path) {
    if (unlink(path.c_str()) != 0 && errno != ENOENT) throw_system_error("remove", path);
}

// Creates the folder and its missing parents, and flushes their entries to the disk.
void make_folders(const std::filesystem::path& path) {
    std::vector<std::filesystem::path> missing;
    for (auto folder = std::filesystem::absolute(path); !std::filesystem::exists(folder); folder = folder / "..") {
        folder = folder.lexically_normal();
        if (!folder.has_filename()) folder = folder.parent_path();
        missing.push_back(folder);
    }
    std::error_code error;
    std::filesystem::create_directories(path, error);
    const std::string message = fmt::format("{}: the folder cannot be created: {}", path.string(), error.message());
    if (error == std::errc::not_a_directory || error == std::errc::file_exists) throw InputError(message);
    if (error) throw Error(message);
    for (const auto& made : missing) flush_folder(made.parent_path());
}

// "step-00064000.safetensors" -> 64000; empty for any other name.
std::optional<int64_t> step_in(std::string_view name) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
    name.remove_prefix(kPrefix.size());
    name.remove_suffix(std::min(name.size(), kSuffix.size()));
    int64_t step = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
    const bool whole = error == std::errc() && end == name.data() + name.size();
    return whole && name.size() >= 8 && name.front() != '-' ? std::optional(step) : std::nullopt;
}

bool is_unfinished(std::string_view name) {
    const std::string_view final_name = final_name_of(name);
    return step_in(final_name) || final_name == "best.safetensors" || final_name == "last.safetensors" ||
           final_name == kConfig || final_name == "metrics.jsonl";
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / ".lock";
    descriptor_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw_system_error("open", file);
    if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
    const int error = errno;
    close(descriptor_);
    if (error != EWOULDBLOCK) throw_system_error("lock", file, error);
    throw RunFolderError(RunFolderError::Problem::in_use, folder.string() + ": another process is training there");
}

FolderLock::~FolderLock() {
    close(descriptor_);
}

RunFolder::RunFolder(std::filesystem::path path) : path_(std::move(path)), lock_((make_folders(path_), path_)) {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
        if (is_unfinished(entry.path().filename().string())) remove_file(entry.path());
    }
}

bool RunFolder::holds_run() const {
    std::error_code none;
    const auto metrics = std::filesystem::file_size(metrics_path(), none);
    return (!none && metrics > 0) || std::filesystem::exists(best_path()) || !checkpoints().empty();
}

void RunFolder::refuse_run() const {
    if (!holds_run()) return;
    throw RunFolderError(RunFolderError::Problem::holds_run, path_.string() + ": the folder already holds a run");
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

void RunFolder::finish_checkpoint(int64_t step, std::optional<int64_t> keep) {
    const std::filesystem::path newest = checkpoint_path(step);
    std::error_code no_link;
    if (std::filesystem::read_symlink(last_path(), no_link) != newest.filename() &&
        !link_atomically(last_path(), newest.filename())) {
        copy_file_atomically(newest, last_path());
    }
    damaged_.erase(step);
    if (!keep) return;
    int64_t newer = 0;
    for (const Numbered& checkpoint : checkpoints()) {
        // A damaged checkpoint must not displace a good one.
        if (checkpoint.step > step || damaged_.contains(checkpoint.step) || ++newer <= *keep) continue;
        remove_file(checkpoint.path);
    }
}

}  // namespace residual
