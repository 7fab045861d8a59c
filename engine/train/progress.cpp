#include "engine/train/progress.h"

#include <fmt/format.h>
#include <stdio_ext.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>

namespace residual {

namespace {

constexpr const char* kClearLine = "\r\033[K";
// Between these a terminal truncates a long line instead of wrapping it.
constexpr const char* kNoWrap = "\033[?7l";
constexpr const char* kWrap = "\033[?7h";

// Whether standard output is a terminal that understands these sequences; the dumb one of an editor does not.
bool is_terminal() {
    const char* kind = std::getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && kind != nullptr && *kind != '\0' && std::string_view(kind) != "dumb";
}

}  // namespace

Progress::Progress(int64_t steps, int batch_size) : steps_(steps), batch_size_(batch_size), terminal_(is_terminal()) {}

Progress::~Progress() {
    end_line();
}

void Progress::end_line() {
    if (open_) print("\n");
    open_ = false;
}

void Progress::print_line(const std::string& line) {
    print((open_ ? kClearLine : "") + line + "\n");
    open_ = false;
}

void Progress::print(const std::string& text) {
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

void Progress::show(const TrainingRow& row) {
    const double left = static_cast<double>(steps_ - row.step) * batch_size_ / row.images_per_second;
    const std::string line =
        fmt::format("step {:>{}}/{}  loss {:.4f}  accuracy {:5.2f} %  rate {:g}  {:.0f} images/s  {} left", row.step,
                    std::to_string(steps_).size(), steps_, row.train_loss, 100 * row.train_accuracy, row.learning_rate,
                    row.images_per_second, duration_text(left));
    if (!terminal_) {
        print_line(line);
        return;
    }
    print(kClearLine + (kNoWrap + line) + kWrap);
    open_ = true;
}

void Progress::show(const EvaluationRow& row) {
    print_line(fmt::format("step {:>{}}/{}  test loss {:.4f}  test accuracy {:.2f} %", row.step,
                           std::to_string(steps_).size(), steps_, row.test_loss, 100 * row.test_accuracy));
}

std::string duration_text(double seconds) {
    constexpr double kLongest = 3600e6;
    if (!(seconds < kLongest)) return "over 1000000 h";
    const auto whole = static_cast<int64_t>(seconds + 0.5);
    if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
    if (whole >= 60) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    return fmt::format("{} s", whole);
}

}  // namespace residual
