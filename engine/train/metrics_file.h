// metrics.jsonl: the training and evaluation rows of a run, one JSON object per line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "engine/io/checkpoint_info.h"
#include "engine/io/pending_bytes.h"

namespace residual {

struct TrainingRow {
    int64_t step = 0;
    double train_loss = 0, train_cross_entropy = 0, train_accuracy = 0, learning_rate = 0, images_per_second = 0;
};

struct EvaluationRow {
    int64_t step = 0;
    double test_loss = 0, test_accuracy = 0;
};

// Appends rows. A row that cannot be written (the disk is full) is kept in memory and retried with the next one, so
// that training does not stop. If the file is removed, renamed or replaced, the next row goes to a new file of the same
// name.
class MetricsFile {
  public:
    // Opens the file to continue after the training row of step `training` and the evaluation row of step `evaluation`:
    // removes later rows and an incomplete last line. Throws Error if the file cannot be read or written.
    MetricsFile(std::filesystem::path path, int64_t training, int64_t evaluation);
    ~MetricsFile();
    MetricsFile(const MetricsFile&) = delete;
    MetricsFile& operator=(const MetricsFile&) = delete;

    void write(const TrainingRow& row);
    void write(const EvaluationRow& row);

    // Whether the file was removed, renamed or replaced since it was opened, so that earlier rows may not be in it.
    bool replaced() const { return replaced_; }

    // Writes all rows kept in memory. Throws Error on failure.
    void flush();
    // fdatasync. Throws Error on failure. May be called from another thread.
    void sync() const;

  private:
    void add(const std::string& line);
    bool write_pending();
    bool reopen_if_replaced();

    std::filesystem::path path_;
    int descriptor_ = -1;   // Of the same number as long as this object exists, since sync() uses it on another thread.
    PendingBytes pending_;  // Whole rows.
    bool replaced_ = false;
};

// Calls the functions for the rows in the order of the file. A value that is missing or not a number is NaN. Throws
// Error if the file cannot be read.
void read_rows(const std::filesystem::path& path, const std::function<void(const TrainingRow&)>& training,
               const std::function<void(const EvaluationRow&)>& evaluation);
// The step of the latest row in a file; 0 if there is none.
int64_t last_row(const std::filesystem::path& path);
// Whether a file holds the last training row and the last evaluation row of a run that has progressed so far.
bool has_rows(const std::filesystem::path& path, const RowProgress& progress);

}  // namespace residual
