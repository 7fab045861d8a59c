// The folder that a training run leaves behind.
//
//     config.json                 every key with its value
//     metrics.jsonl               one JSON object a line
//     step-00064000.safetensors   the newest checkpoints, by updates done
//     best.safetensors            the one with the highest test accuracy so far
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace engine {

struct TrainingRow {
    int64_t step = 0;
    double train_loss = 0, train_cross_entropy = 0, train_accuracy = 0, learning_rate = 0, images_per_second = 0;
};

struct EvaluationRow {
    int64_t step = 0;
    double test_loss = 0, test_accuracy = 0;
};

class RunFolder {
  public:
    // Makes the folder and writes config.json. Throws InputError if it already holds a run, Error if it cannot be
    // written.
    RunFolder(std::filesystem::path path, const std::string& config);

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path checkpoint_path(int64_t step) const;
    std::filesystem::path best_path() const { return path_ / "best.safetensors"; }

    // One line each, handed to the system when the call returns.
    void write(const TrainingRow& row);
    void write(const EvaluationRow& row);

    // Removes all checkpoints of steps but the `keep` newest.
    void prune(int64_t keep) const;

  private:
    void write_line(const std::string& line);

    std::filesystem::path path_;
    std::ofstream metrics_;
};

}  // namespace engine
