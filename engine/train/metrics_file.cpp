#include "engine/train/metrics_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>
#include <system_error>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"

namespace residual {

namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void fail(const char* action, const std::filesystem::path& path) {
    const std::string reason = std::system_category().message(errno);
    throw Error(fmt::format("cannot {} {}: {}", action, path.string(), reason));
}

// Whether the run still stands behind this line. What is no row was cut off by a crash.
bool is_kept(const std::string& line, int64_t training, int64_t evaluation) {
    const Json row = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!row.is_object() || !row.contains("step") || !row["step"].is_number_integer()) return false;
    return row["step"].get<int64_t>() <= (row.contains("test_loss") ? evaluation : training);
}

std::string text_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in.is_open() || in.bad() || text.fail()) fail("read", path);
    return text.str();
}

// Leaves a file whose name is on the disk.
void keep_rows(const std::filesystem::path& path, int64_t training, int64_t evaluation) {
    if (!std::filesystem::exists(path)) write_file_atomically(path, {});
    // An empty file is a failure to `<<`.
    if (std::filesystem::file_size(path) == 0) return;
    const std::string text = text_of(path);
    std::istringstream lines(text);
    std::string kept;
    for (std::string line; std::getline(lines, line) && !lines.eof();) {
        if (is_kept(line, training, evaluation)) kept += line + '\n';
    }
    if (kept != text) write_file_atomically(path, std::as_bytes(std::span(kept)));
}

}  // namespace

MetricsFile::MetricsFile(std::filesystem::path path, int64_t training, int64_t evaluation) : path_(std::move(path)) {
    keep_rows(path_, training, evaluation);
    descriptor_ = open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (descriptor_ < 0) fail("open", path_);
}

MetricsFile::~MetricsFile() {
    close(descriptor_);
}

bool MetricsFile::write_waiting() {
    while (!waiting_.empty()) {
        const ssize_t written = ::write(descriptor_, waiting_.data(), waiting_.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        // Half a line may have found room; the rest follows it later.
        waiting_.erase(0, static_cast<size_t>(written));
    }
    return true;
}

void MetricsFile::add(const std::string& line) {
    waiting_ += line + '\n';
    write_waiting();
}

void MetricsFile::write(const TrainingRow& row) {
    add(Json{{"step", row.step},
             {"train_loss", row.train_loss},
             {"train_cross_entropy", row.train_cross_entropy},
             {"train_accuracy", row.train_accuracy},
             {"learning_rate", row.learning_rate},
             {"images_per_second", row.images_per_second}}
            .dump());
}

void MetricsFile::write(const EvaluationRow& row) {
    add(Json{{"step", row.step}, {"test_loss", row.test_loss}, {"test_accuracy", row.test_accuracy}}.dump());
}

void MetricsFile::flush() {
    if (!write_waiting()) fail("write", path_);
}

void MetricsFile::sync() const {
    // A file system that cannot flush a file says EINVAL.
    if (fdatasync(descriptor_) != 0 && errno != EINVAL) fail("flush", path_);
}

}  // namespace residual
