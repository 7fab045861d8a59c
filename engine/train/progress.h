// Training progress on standard output. On a terminal, one line is redrawn several times a second, and rows of
// evaluations stay above it. Otherwise, and if TERM is unset or "dumb", each row is a plain line, and so is the state
// of a run that has printed nothing for a while. If standard output cannot be written, progress is dropped after
// one warning on standard error; the run continues. While a terminal is stopped (Ctrl-S), functions that print wait.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "engine/train/metrics_file.h"
#include "engine/train/progress_line.h"

namespace residual {

class Progress {
  public:
    // `steps`: total number of updates, of `batch_size` images each. Without a terminal, a line with the state is
    // printed after `silence` without output.
    Progress(int64_t steps, int batch_size, std::chrono::milliseconds silence = std::chrono::seconds(10));
    ~Progress();  // Terminates an open line.
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void show(const TrainingRow& row);
    void show(const EvaluationRow& row);
    void print_line(const std::string& line);
    // What the run does instead of updates, such as "evaluating"; empty: updates. Never waits for the terminal.
    void set_activity(const std::string& activity);
    // Clears the line that is redrawn. Until the lock is released, the caller may print, and must call nothing else
    // here.
    [[nodiscard]] std::unique_lock<std::mutex> interrupt();

    // While it exists, a thread shows the progress between the rows, unless the system refuses to start one. The thread
    // gets the number of completed updates from `completed`.
    class Live {
      public:
        Live(Progress& progress, std::function<int64_t()> completed);
        ~Live();
        Live(const Live&) = delete;
        Live& operator=(const Live&) = delete;

      private:
        Progress& progress_;
    };

  private:
    using Clock = std::chrono::steady_clock;

    void watch();
    void show_state();
    ProgressState refresh_state();
    void redraw(const ProgressState& state);
    std::string clear_line(size_t columns) const;
    void close_line(const std::string& text);
    void print(const std::string& text);

    const int batch_size_;
    const std::chrono::milliseconds silence_;
    const bool terminal_;
    std::thread thread_;  // Of Live; runs watch().

    std::mutex output_mutex_;  // Of standard output and the next four members. Locked before state_mutex_, if both are.
    Clock::time_point last_line_ = Clock::now();
    int frame_ = 0;
    size_t drawn_ = 0;     // Length of the line that is redrawn; 0: there is none.
    bool warned_ = false;  // Whether the warning has been printed.

    std::mutex state_mutex_;  // Of all members below. Nothing is printed while it is locked.
    std::condition_variable stopped_;
    bool running_ = false;
    std::function<int64_t()> completed_;
    Clock::time_point started_ = Clock::now();
    ProgressState state_;
    RecentSpeed speed_;  // In updates.
};

}  // namespace residual
