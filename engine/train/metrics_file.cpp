#include "engine/train/metrics_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <sstream>

#include "engine/io/atomic_file.h"

namespace residual {

namespace {

using Json = nlohmann::ordered_json;

struct Row {
    int64_t step;
    bool evaluation;
};

// Empty for a line that is not a row: it was cut off by a crash.
std::optional<Row> row_of(const std::string& line) {
    const Json row = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!row.is_object() || !row.contains("step") || !row["step"].is_number_integer()) return std::nullopt;
    return Row{row["step"].get<int64_t>(), row.contains("test_loss")};
}

// Empty if the file is missing.
std::string text_of(const std::filesystem::path& path) {
    // `<<` of an empty file sets failbit.
    if (!std::filesystem::exists(path) || std::filesystem::file_size(path) == 0) return "";
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in.is_open() || in.bad() || text.fail()) throw_system_error("read", path);
    return text.str();
}

// Calls use(row, line) for each complete row.
template <class Use>
void for_each_row(const std::string& text, Use use) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line) && !lines.eof();) {
        if (const auto row = row_of(line)) use(*row, line);
    }
}

// Removes the other rows. Creates the file if it is missing, and flushes its folder entry.
void keep_rows(const std::filesystem::path& path, int64_t training, int64_t evaluation) {
    if (!std::filesystem::exists(path)) write_file_atomically(path, {});
    const std::string text = text_of(path);
    std::string kept;
    for_each_row(text, [&](const Row& row, const std::string& line) {
        if (row.step <= (row.evaluation ? evaluation : training)) kept += line + '\n';
    });
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

bool MetricsFile::reopen_if_replaced() {
    struct stat opened {
    }, named{};
    const bool found = stat(path_.c_str(), &named) == 0;
    if (!found && errno != ENOENT) return true;
    if (fstat(descriptor_, &opened) != 0) return false;
    if (found && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino) return true;
    const int descriptor = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) return false;
    // Atomic for a sync() on another thread.
    const bool swapped = dup3(descriptor, descriptor_, O_CLOEXEC) >= 0;
    const int error = errno;
    close(descriptor);
    errno = error;
    if (!swapped) return false;
    pending_.start_again();
    replaced_ = true;
    return true;
}

bool MetricsFile::write_pending() {
    if (pending_.empty()) return true;
    if (!reopen_if_replaced()) return false;
    return pending_.write_to(descriptor_);
}

void MetricsFile::add(const std::string& line) {
    pending_.add(line + '\n');
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
    if (fdatasync(descriptor_) != 0 && !is_unsupported(errno)) throw_system_error("flush", path_);
}

void read_rows(const std::filesystem::path& path, const std::function<void(const TrainingRow&)>& training,
               const std::function<void(const EvaluationRow&)>& evaluation) {
    for_each_row(text_of(path), [&](const Row& row, const std::string& line) {
        const Json values = Json::parse(line);
        const auto number = [&](const char* key) {
            const auto found = values.find(key);
            return found != values.end() && found->is_number() ? found->get<double>()
                                                               : std::numeric_limits<double>::quiet_NaN();
        };
        if (row.evaluation) {
            evaluation({row.step, number("test_loss"), number("test_accuracy")});
        } else {
            training({row.step, number("train_loss"), number("train_cross_entropy"), number("train_accuracy"),
                      number("learning_rate"), number("images_per_second")});
        }
    });
}

int64_t last_row(const std::filesystem::path& path) {
    int64_t last = 0;
    for_each_row(text_of(path), [&](const Row& row, const std::string&) { last = std::max(last, row.step); });
    return last;
}

bool has_rows(const std::filesystem::path& path, const RowProgress& progress) {
    bool training = progress.training == 0, evaluation = progress.evaluation == 0;
    for_each_row(text_of(path), [&](const Row& row, const std::string&) {
        (row.evaluation ? evaluation : training) |=
            row.step == (row.evaluation ? progress.evaluation : progress.training);
    });
    return training && evaluation;
}

}  // namespace residual
