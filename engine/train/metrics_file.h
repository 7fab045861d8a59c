// metrics.jsonl: the training and evaluation rows of a run, one JSON object per line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

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
// that training does not stop.
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

    // Writes all rows kept in memory. Throws Error on failure.
    void flush();
    // fdatasync. Throws Error on failure. May be called from another thread.
    void sync() const;

  private:
    void add(const std::string& line);
    bool write_pending();

    std::filesystem::path path_;
    int descriptor_ = -1;
    std::string pending_;
};

}  // namespace residual
