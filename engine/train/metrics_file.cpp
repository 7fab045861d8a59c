#include "engine/train/metrics_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>

#include "engine/io/atomic_file.h"

namespace residual {

namespace {

using Json = nlohmann::ordered_json;

// Whether the line is a row no later than these steps. A line that is not a row was cut off by a crash.
bool is_kept(const std::string& line, int64_t training, int64_t evaluation) {
    const Json row = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!row.is_object() || !row.contains("step") || !row["step"].is_number_integer()) return false;
    return row["step"].get<int64_t>() <= (row.contains("test_loss") ? evaluation : training);
}

std::string text_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in.is_open() || in.bad() || text.fail()) throw_system_error("read", path);
    return text.str();
}

// Removes the other rows. Creates the file if it is missing, and flushes its folder entry.
void keep_rows(const std::filesystem::path& path, int64_t training, int64_t evaluation) {
    if (!std::filesystem::exists(path)) write_file_atomically(path, {});
    // `<<` of an empty file sets failbit.
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
    if (descriptor_ < 0) throw_system_error("open", path_);
}

MetricsFile::~MetricsFile() {
    close(descriptor_);
}

bool MetricsFile::write_pending() {
    while (!pending_.empty()) {
        const ssize_t written = ::write(descriptor_, pending_.data(), pending_.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        // A partial write may end in the middle of a line; the rest is written later.
        pending_.erase(0, static_cast<size_t>(written));
    }
    return true;
}

void MetricsFile::add(const std::string& line) {
    pending_ += line + '\n';
    write_pending();
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
    if (!write_pending()) throw_system_error("write", path_);
}

void MetricsFile::sync() const {
    // A file system that cannot flush a file returns EINVAL.
    if (fdatasync(descriptor_) != 0 && errno != EINVAL) throw_system_error("flush", path_);
}

}  // namespace residual
