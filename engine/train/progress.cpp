#include "engine/train/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace engine {

namespace {

constexpr const char* kClearLine = "\r\033[K";
// Between these a terminal cuts a line that is too long for it, instead of going on in the next one.
constexpr const char* kNoWrap = "\033[?7l";
constexpr const char* kWrap = "\033[?7h";

}  // namespace

Progress::Progress(int64_t steps, int batch_size)
    : steps_(steps), batch_size_(batch_size), terminal_(isatty(STDOUT_FILENO) == 1) {}

Progress::~Progress() {
    end_line();
}

void Progress::end_line() {
    if (open_) std::fputs("\n", stdout);
    open_ = false;
    std::fflush(stdout);
}

void Progress::say(const std::string& line) {
    if (open_) std::fputs(kClearLine, stdout);
    open_ = false;
    std::fputs((line + "\n").c_str(), stdout);
    std::fflush(stdout);
}

void Progress::show(const TrainingRow& row) {
    const double left = static_cast<double>((steps_ - row.step) * batch_size_) / row.images_per_second;
    const std::string line =
        fmt::format("step {:>{}}/{}  loss {:.4f}  accuracy {:5.2f} %  rate {:g}  {:.0f} images/s  {} left", row.step,
                    std::to_string(steps_).size(), steps_, row.train_loss, 100 * row.train_accuracy, row.learning_rate,
                    row.images_per_second, duration_text(left));
    if (!terminal_) {
        say(line);
        return;
    }
    std::fputs((kClearLine + (kNoWrap + line) + kWrap).c_str(), stdout);
    std::fflush(stdout);
    open_ = true;
}

void Progress::show(const EvaluationRow& row) {
    say(fmt::format("step {:>{}}/{}  test loss {:.4f}  test accuracy {:.2f} %", row.step, std::to_string(steps_).size(),
                    steps_, row.test_loss, 100 * row.test_accuracy));
}

std::string duration_text(double seconds) {
    const auto whole = static_cast<int64_t>(seconds + 0.5);
    if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
    if (whole >= 60) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    return fmt::format("{} s", whole);
}

}  // namespace engine
