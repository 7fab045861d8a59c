// The text of the line that shows the progress of a run.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace residual {

struct ProgressState {
    int64_t step = 0, steps = 0;           // Updates completed, and in total.
    std::optional<double> loss, accuracy;  // Of the last training row.
    std::string activity;                  // What happens instead of updates, such as "evaluating"; or empty.
    std::optional<double> images_per_second;
    double elapsed = 0;          // Seconds.
    std::optional<double> left;  // Seconds until the updates are done.
};

// At most max(columns - 1, 1) characters, so that no terminal wraps the line: updates, and of activity, time
// left, loss, speed, accuracy, a bar and elapsed time what fits, in this order of importance. `frame` numbers the lines
// drawn: one character is different from the previous frame's.
std::string progress_line(const ProgressState& state, int columns, int frame);
// The same on a line of its own in a log, without a bar.
std::string progress_text(const ProgressState& state);

// "1 h 02 min", "3 min 20 s", "12 s"; "over 1000000 h" also for infinity and NaN.
std::string duration_text(double seconds);
// "1:02:03", "0:12"; "over 1000000 h" also for infinity and NaN.
std::string clock_text(double seconds);

// The speed over the last seconds, from a counter that is read now and then. If the counter stops, the speed falls.
class RecentSpeed {
  public:
    // The counter's value at a time in seconds. Times do not decrease.
    void add(double time, int64_t count);
    // After a pause: its duration does not count. per_second() stays the same until the counter changes.
    void resume() { samples_.clear(); }
    // Empty until the counter has changed.
    std::optional<double> per_second() const { return per_second_; }

  private:
    std::deque<std::pair<double, int64_t>> samples_;  // Those at which the counter was found changed.
    std::optional<double> per_second_;
};

}  // namespace residual
