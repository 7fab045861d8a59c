#include "engine/train/progress.h"

#include <fmt/format.h>
#include <stdio_ext.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <system_error>
#include <utility>

namespace residual {

namespace {

constexpr auto kRedrawInterval = std::chrono::milliseconds(250);
// Between these a terminal truncates a long line instead of wrapping it: one that has become narrower since its width
// was read.
constexpr const char* kNoWrap = "\033[?7l";
constexpr const char* kWrap = "\033[?7h";
constexpr int kUsualColumns = 80;

// Whether standard output is a terminal that understands these sequences; the dumb one of an editor does not.
bool is_terminal() {
    const char* kind = std::getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && kind != nullptr && *kind != '\0' && std::string_view(kind) != "dumb";
}

size_t terminal_columns() {
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsualColumns;
}

// Whether the shell has put this process in the background of its terminal, where the user types commands.
bool in_background() {
    const pid_t foreground = tcgetpgrp(STDOUT_FILENO);
    return foreground >= 0 && foreground != getpgrp();
}

double seconds(std::chrono::steady_clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

Progress::Progress(int64_t steps, int batch_size, std::chrono::milliseconds silence)
    : batch_size_(batch_size), silence_(silence), terminal_(is_terminal()) {
    state_.steps = steps;
}

Progress::~Progress() {
    if (drawn_ > 0 && !in_background()) print("\n");
}

Progress::Live::Live(Progress& progress, std::function<int64_t()> completed) : progress_(progress) {
    {
        const std::scoped_lock lock(progress.output_mutex_, progress.state_mutex_);
        progress.completed_ = std::move(completed);
        progress.started_ = progress.last_line_ = Clock::now();
        progress.running_ = true;
    }
    progress.refresh_state();
    try {
        progress.thread_ = std::thread([&progress] { progress.watch(); });
    } catch (const std::system_error&) {
        // The rows are shown without it.
    }
}

Progress::Live::~Live() {
    {
        const std::lock_guard lock(progress_.state_mutex_);
        progress_.running_ = false;
    }
    progress_.stopped_.notify_all();
    if (progress_.thread_.joinable()) progress_.thread_.join();
    progress_.completed_ = nullptr;
}

void Progress::watch() {
    std::unique_lock lock(state_mutex_);
    while (!stopped_.wait_for(lock, kRedrawInterval, [this] { return !running_; })) {
        lock.unlock();
        try {
            show_state();
        } catch (const std::exception&) {
            // Out of memory: it is tried again after the interval.
        }
        lock.lock();
    }
}

void Progress::show_state() {
    const std::lock_guard lock(output_mutex_);
    const ProgressState state = refresh_state();
    if (terminal_) {
        redraw(state);
    } else if (Clock::now() - last_line_ >= silence_) {
        print(progress_text(state) + "\n");
    }
}

// Brings the state up to date and returns a copy.
ProgressState Progress::refresh_state() {
    const std::lock_guard lock(state_mutex_);
    const double elapsed = seconds(Clock::now() - started_);
    // A row may be ahead of the counter, which can skip counts.
    if (completed_) state_.step = std::max(state_.step, completed_());
    state_.elapsed = elapsed;
    if (state_.activity.empty()) speed_.add(elapsed, state_.step);
    if (const auto speed = speed_.per_second(); speed && *speed > 0) {
        state_.images_per_second = *speed * batch_size_;
        state_.left = static_cast<double>(state_.steps - state_.step) / *speed;
    }
    // The updates are done, but not the last evaluation.
    if (state_.step >= state_.steps) state_.left.reset();
    return state_;
}

void Progress::redraw(const ProgressState& state) {
    if (in_background()) return;
    const size_t columns = terminal_columns();
    const std::string line = progress_line(state, static_cast<int>(columns), frame_++);
    print(clear_line(columns) + kNoWrap + line + kWrap);
    drawn_ = line.size();
}

// Clears the line that is redrawn. A terminal that has become narrower and reflows its text has broken the line into
// several. In one that does not reflow, this also clears lines above.
std::string Progress::clear_line(size_t columns) const {
    if (drawn_ <= columns) return "\r\033[K";
    return fmt::format("\r\033[{}A\033[J", (drawn_ - 1) / columns);
}

// Prints whole lines, in place of the line that is redrawn; in the background below the user's prompt.
void Progress::close_line(const std::string& text) {
    const std::string start = drawn_ == 0 ? "" : in_background() ? "\n" : clear_line(terminal_columns());
    print(start + text);
    drawn_ = 0;
}

std::unique_lock<std::mutex> Progress::interrupt() {
    std::unique_lock lock(output_mutex_);
    close_line("");
    return lock;
}

void Progress::print_line(const std::string& line) {
    const std::lock_guard lock(output_mutex_);
    close_line(line + "\n");
}

void Progress::print(const std::string& text) {
    last_line_ = Clock::now();
    errno = 0;
    if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return;
    const std::string reason = std::system_category().message(errno);
    __fpurge(stdout);
    std::clearerr(stdout);
    if (!warned_) {
        std::fprintf(stderr, "warning: standard output cannot be written (%s); the run continues without it\n",
                     reason.c_str());
    }
    warned_ = true;
}

void Progress::set_activity(const std::string& activity) {
    const std::lock_guard lock(state_mutex_);
    if (activity == state_.activity) return;
    state_.activity = activity;
    speed_.resume();
}

void Progress::show(const TrainingRow& row) {
    const std::lock_guard lock(output_mutex_);
    {
        const std::lock_guard state_lock(state_mutex_);
        state_.step = row.step;
        state_.loss = row.train_loss;
        state_.accuracy = row.train_accuracy;
    }
    if (terminal_) {
        redraw(refresh_state());
        return;
    }
    const double left = static_cast<double>(state_.steps - row.step) * batch_size_ / row.images_per_second;
    print(fmt::format("step {:>{}}/{}  loss {:.4f}  accuracy {:5.2f} %  rate {:g}  {:.0f} images/s  {} left\n",
                      row.step, std::to_string(state_.steps).size(), state_.steps, row.train_loss,
                      100 * row.train_accuracy, row.learning_rate, row.images_per_second, duration_text(left)));
}

void Progress::show(const EvaluationRow& row) {
    print_line(fmt::format("step {:>{}}/{}  test loss {:.4f}  test accuracy {:.2f} %", row.step,
                           std::to_string(state_.steps).size(), state_.steps, row.test_loss, 100 * row.test_accuracy));
}

}  // namespace residual
