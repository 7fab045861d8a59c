#include "engine/train/run_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <span>
#include <string_view>
#include <system_error>

#include "engine/io/atomic_file.h"

namespace residual {

namespace {

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

bool is_unfinished(std::string_view name) {
    const std::string_view final_name = final_name_of(name);
    return step_in_name(final_name) || final_name == kBestCheckpoint || final_name == kLastCheckpoint ||
           final_name == RunFolder::kConfig || final_name == RunFolder::kMetrics;
}

// A link counts as a file, whatever it points to.
bool is_there(const std::filesystem::path& path) {
    std::error_code none;
    return std::filesystem::exists(std::filesystem::symlink_status(path, none));
}

// A row or checkpoint in `folder`; empty if there is none.
std::filesystem::path file_of_run(const std::filesystem::path& folder) {
    std::error_code none;
    const auto metrics = std::filesystem::file_size(folder / RunFolder::kMetrics, none);
    if (!none && metrics > 0) return folder / RunFolder::kMetrics;
    for (const std::string_view name : {kLastCheckpoint, kBestCheckpoint}) {
        if (is_there(folder / name)) return folder / name;
    }
    if (!std::filesystem::is_directory(folder, none)) return {};
    for (const auto& checkpoints : {numbered_checkpoints(folder), renamed_checkpoints(folder)}) {
        if (!checkpoints.empty()) return checkpoints.front().path;
    }
    return {};
}

}  // namespace

RunFolder::RunFolder(std::filesystem::path path)
    : path_(std::move(path)), lock_((make_folders(path_), path_)), flushes_(lock_.can_flush() && flush_folder(path_)) {
    // Without a lock they may belong to another process that is training here.
    if (!lock_.held()) return;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
        if (is_unfinished(entry.path().filename().string())) remove_file(entry.path());
    }
}

std::string RunFolder::missing_protection() const {
    const std::string_view unlocked = "lock files, so another process that trains in this folder is not noticed";
    const std::string_view unflushed =
        "flush files to the disk, so the newest checkpoints may be missing after a power cut";
    if (lock_.held() && flushes_) return "";
    return fmt::format(
        "{}: the file system cannot {}{}{}; for this protection, choose a folder on another file system "
        "with --out",
        path_.string(), lock_.held() ? "" : unlocked, !lock_.held() && !flushes_ ? ", and cannot " : "",
        flushes_ ? "" : unflushed);
}

bool RunFolder::holds_run(const std::filesystem::path& folder) {
    return !file_of_run(folder).empty();
}

void RunFolder::refuse_run(const std::filesystem::path& folder) {
    const auto file = file_of_run(folder);
    if (file.empty()) return;
    throw RunFolderError(RunFolderError::Problem::holds_run, fmt::format("{}: the folder already holds a run ({})",
                                                                         folder.string(), file.filename().string()));
}

std::filesystem::path RunFolder::metrics_path() const {
    return path_ / kMetrics;
}

void RunFolder::write_config(const std::string& config) const {
    write_file_atomically(path_ / kConfig, std::as_bytes(std::span(config)));
}

void RunFolder::keep_resumed(const std::filesystem::path& from, int64_t step) const {
    if (from == best_path()) copy_file_atomically(from, checkpoint_path(step));
    if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(last_path()))) return;
    const auto last_step = step_in_file(last_path());
    if (!last_step) return;
    const std::filesystem::path numbered = checkpoint_path(*last_step);
    if (from != last_path() && is_there(numbered)) return;
    if (rename(last_path().c_str(), numbered.c_str()) != 0) throw_system_error("rename", last_path());
    flush_folder(path_);
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
    for (const StoredCheckpoint& checkpoint : checkpoints()) {
        // A damaged checkpoint must not displace a good one.
        if (checkpoint.step > step || damaged_.contains(checkpoint.step) || ++newer <= *keep) continue;
        remove_file(checkpoint.path);
    }
}

}  // namespace residual
