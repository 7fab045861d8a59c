#include "tools/report/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace residual::tools {
namespace {

using Json = nlohmann::json;

// Reads the values of one row; valid() is false after an impossible value.
class Reader {
  public:
    explicit Reader(const Json& row) : row_(row) {}

    std::optional<double> number(const char* key, double least, double largest) {
        const auto found = row_.find(key);
        if (found == row_.end()) return std::nullopt;
        const double value = found->is_number() ? found->get<double>() : least - 1;
        valid_ = valid_ && value >= least && value <= largest;
        return value;
    }
    // A number that may be 0, but not so small or so large that arithmetic with it could overflow.
    std::optional<double> quantity(const char* key) {
        constexpr double kLeast = 1e-30, kLargest = 1e30;
        const auto value = number(key, 0, kLargest);
        valid_ = valid_ && (!value || *value == 0 || *value >= kLeast);
        return value;
    }
    std::optional<double> error_from(const char* accuracy) {
        const auto value = number(accuracy, 0, 1);
        return value ? std::optional(1 - *value) : std::nullopt;
    }
    bool valid() const { return valid_; }

  private:
    const Json& row_;
    bool valid_ = true;
};

// Adds the row on `line`; false if the line is damaged.
bool add_row(std::string_view line, int64_t steps, std::map<int64_t, Row>& training, std::map<int64_t, Row>& test) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) return false;
    Row row{.step = json["step"].get<int64_t>(), .loss = {}, .error = {}, .learning_rate = {}, .images_per_second = {}};
    Reader reader(json);
    const bool evaluation = json.contains("test_loss");
    if (evaluation) {
        row.loss = reader.quantity("test_loss");
        row.error = reader.error_from("test_accuracy");
    } else {
        row.loss = reader.quantity("train_cross_entropy");
        row.error = reader.error_from("train_accuracy");
        row.learning_rate = reader.quantity("learning_rate");
        row.images_per_second = reader.quantity("images_per_second");
    }
    if (!reader.valid() || !row.loss || row.step < 0 || row.step > steps) return false;
    (evaluation ? test : training)[row.step] = row;
    return true;
}

std::vector<Row> values_of(const std::map<int64_t, Row>& rows) {
    std::vector<Row> values;
    for (const auto& [step, row] : rows) values.push_back(row);
    return values;
}

// The mean of values weighted by steps.
class Mean {
  public:
    void add(const std::optional<double>& value, int64_t steps) {
        if (!value) return;
        sum_ += *value * static_cast<double>(steps);
        steps_ += steps;
    }
    std::optional<double> get() const {
        return steps_ > 0 ? std::optional(sum_ / static_cast<double>(steps_)) : std::nullopt;
    }

  private:
    double sum_ = 0;
    int64_t steps_ = 0;
};

}  // namespace

int64_t Rows::last_step() const {
    return std::max(training.empty() ? 0 : training.back().step, test.empty() ? 0 : test.back().step);
}

Rows parse_rows(std::string_view text, int64_t steps) {
    std::map<int64_t, Row> training, test;
    Rows rows;
    int64_t damaged = 0, first_damaged = 0, number = 0;
    while (!text.empty()) {
        const size_t end = text.find('\n');
        ++number;
        if (end == std::string_view::npos) {
            rows.remarks.push_back(fmt::format(
                "metrics.jsonl, line {}: the last line is incomplete and was left out; the run was writing it or was "
                "killed",
                number));
            break;
        }
        if (!add_row(text.substr(0, end), steps, training, test) && damaged++ == 0) first_damaged = number;
        text.remove_prefix(end + 1);
    }
    if (damaged == 1) {
        rows.remarks.push_back(
            fmt::format("metrics.jsonl, line {}: this is not a row of a run and was left out", first_damaged));
    } else if (damaged > 1) {
        rows.remarks.push_back(
            fmt::format("metrics.jsonl: {} lines are not rows of a run and were left out, the first "
                        "is line {}",
                        damaged, first_damaged));
    }
    rows.training = values_of(training);
    rows.test = values_of(test);
    return rows;
}

const Row* best_of(const Rows& rows) {
    const Row* best = nullptr;
    for (const Row& row : rows.test) {
        if (row.error && (best == nullptr || *row.error < *best->error)) best = &row;
    }
    return best;
}

std::optional<TrainingTime> training_time(const Rows& rows, int64_t batch_size) {
    double seconds = 0;
    int64_t from = 0;
    for (const Row& row : rows.training) {
        if (!row.images_per_second || *row.images_per_second <= 0) continue;
        seconds += static_cast<double>(row.step - from) * static_cast<double>(batch_size) / *row.images_per_second;
        from = row.step;
    }
    return from > 0 ? std::optional(TrainingTime{from, seconds}) : std::nullopt;
}

std::vector<Row> merged(const std::vector<Row>& training, size_t count) {
    const size_t group = (training.size() + count - 1) / count;
    std::vector<Row> result;
    int64_t from = 0;
    for (size_t first = 0; first < training.size(); first += group) {
        Mean loss, error;
        const size_t end = std::min(first + group, training.size());
        for (size_t i = first; i < end; ++i) {
            const Row& row = training[i];
            const int64_t steps = std::max<int64_t>(row.step - from, 1);
            loss.add(row.loss, steps);
            error.add(row.error, steps);
            from = row.step;
        }
        const Row& last = training[end - 1];
        result.push_back({last.step, loss.get(), error.get(), last.learning_rate, std::nullopt});
    }
    return result;
}

}  // namespace residual::tools
