// The rows of a metrics.jsonl, also of one that is damaged or still being written.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace residual::tools {

// A training row or an evaluation row. A value that the row does not have is empty.
struct Row {
    int64_t step = 0;
    std::optional<double> loss;           // Mean cross-entropy, without the weight penalty.
    std::optional<double> error;          // Fraction of the images classified wrongly.
    std::optional<double> learning_rate;  // Of training rows.
    std::optional<double> images_per_second;
};

struct Rows {
    std::vector<Row> training, test;   // By ascending step; of several rows of one step the last in the file.
    std::vector<std::string> remarks;  // What was left out, and why.

    // The largest step of a row; 0 if there are none.
    int64_t last_step() const;
};

// A line is left out if it is not a JSON object with a step up to `steps` and a loss, or has a value that is
// impossible.
Rows parse_rows(std::string_view text, int64_t steps = std::numeric_limits<int64_t>::max());

// The evaluation row with the lowest test error, the first of equal ones; null if there is none.
const Row* best_of(const Rows& rows);

struct TrainingTime {
    int64_t steps;  // Those that the seconds are of: up to the last training row with a speed.
    double seconds;
};
// How long training took according to steps and images per second, without evaluations and checkpoints; empty without
// training rows that have a speed.
std::optional<TrainingTime> training_time(const Rows& rows, int64_t batch_size);

// The training rows, neighbours merged until there are at most `count`: means over all of their steps, and the learning
// rate of the last. Their images per second are empty.
std::vector<Row> merged(const std::vector<Row>& training, size_t count);

}  // namespace residual::tools
