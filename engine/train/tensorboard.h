// What TensorBoard shows of a run: the rows of metrics.jsonl, the configuration, and the confusion matrix at the end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/io/event_file.h"
#include "engine/metrics/classification.h"
#include "engine/train/metrics_file.h"

namespace residual {

class TensorBoard {
  public:
    // A process that trains in the run folder `folder` writes one event file there. It replaces all earlier ones, any
    // of which may have gaps, and begins with the rows of `metrics`. `config` is JSON text. Nothing here throws because
    // a file cannot be written: see EventFile::failure().
    TensorBoard(const std::filesystem::path& folder, const std::filesystem::path& metrics, const std::string& config,
                double weight_decay);

    void write(const TrainingRow& row);
    void write(const EvaluationRow& row);
    void write(int64_t step, const ConfusionMatrix& matrix, std::span<const std::string> class_names);

    const std::string& failure() const { return events_.failure(); }

  private:
    EventFile events_;
    double weight_decay_;
};

}  // namespace residual
