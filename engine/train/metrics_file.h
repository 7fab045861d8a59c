// metrics.jsonl: what a run says of itself, one JSON object a line.
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

// Every row as a line, in the order they came. A row that cannot be written, because the disk is full, waits in memory
// for the next one: training need not stop for it.
class MetricsFile {
  public:
    // Opens the file to go on after the training row of step `training` and the evaluation row of step `evaluation`:
    // later rows, and a line that was cut off, are taken out. Error where the file cannot be read or written.
    MetricsFile(std::filesystem::path path, int64_t training, int64_t evaluation);
    ~MetricsFile();
    MetricsFile(const MetricsFile&) = delete;
    MetricsFile& operator=(const MetricsFile&) = delete;

    void write(const TrainingRow& row);
    void write(const EvaluationRow& row);

    // Hands the system every row that still waits. Error where it does not take them.
    void flush();
    // Puts on the disk what the system has. Error where that fails. May be called from another thread.
    void sync() const;

  private:
    void add(const std::string& line);
    bool write_waiting();

    std::filesystem::path path_;
    int descriptor_ = -1;
    std::string waiting_;
};

}  // namespace residual
