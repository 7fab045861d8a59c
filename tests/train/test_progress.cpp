#include "engine/train/progress.h"

#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <new>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/catch.h"
#include "tests/support/environment.h"

using residual::Progress;

namespace {

// Standard output is a terminal with this value of TERM during its lifetime.
class Terminal {
  public:
    explicit Terminal(const std::optional<std::string>& kind, int columns = 80) : kind_("TERM", kind) {
        REQUIRE(openpty(&reading_, &terminal_, nullptr, nullptr, nullptr) == 0);
        resize(columns);
        std::fflush(stdout);
        standard_output_ = dup(STDOUT_FILENO);
        dup2(terminal_, STDOUT_FILENO);
    }
    ~Terminal() {
        restore();
        close(reading_);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    void resize(int columns) const {
        winsize size{};
        size.ws_row = 24;
        size.ws_col = static_cast<unsigned short>(columns);
        REQUIRE(ioctl(terminal_, TIOCSWINSZ, &size) == 0);
    }

    // As after Ctrl-S and Ctrl-Q: in between, who prints waits.
    void stop() const { REQUIRE(tcflow(terminal_, TCOOFF) == 0); }
    void go_on() const { REQUIRE(tcflow(terminal_, TCOON) == 0); }

    // Ends the redirection and returns everything that was printed.
    std::string text() {
        restore();
        std::string all;
        // With the terminal closed, a read fails once everything has been read.
        std::array<char, 4096> part{};
        for (ssize_t bytes = 0; (bytes = read(reading_, part.data(), part.size())) > 0;) {
            all.append(part.data(), static_cast<size_t>(bytes));
        }
        return all;
    }

  private:
    void restore() {
        if (standard_output_ < 0) return;
        dup2(standard_output_, STDOUT_FILENO);
        close(standard_output_);
        close(terminal_);
        standard_output_ = -1;
    }

    test::Environment kind_;
    int reading_ = -1, terminal_ = -1, standard_output_ = -1;
};

void show_two_rows() {
    Progress progress(2, 16);
    for (const int64_t step : {1, 2}) progress.show(residual::TrainingRow{step, 0.5, 0.5, 0.5, 0.1, 100});
}

// The lines drawn in place, without escape sequences.
std::vector<std::string> redrawn(const std::string& text) {
    const std::string start = "\r\033[K\033[?7l", end = "\033[?7h";
    std::vector<std::string> lines;
    for (size_t at = 0; (at = text.find(start, at)) != text.npos;) {
        at += start.size();
        lines.push_back(text.substr(at, text.find(end, at) - at));
    }
    return lines;
}

void wait(int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

}  // namespace

TEST_CASE("progress is redrawn in place on a terminal that understands escape sequences", "[train]") {
    Terminal terminal("xterm");
    show_two_rows();
    const std::string text = terminal.text();
    const auto lines = redrawn(text);
    REQUIRE(lines.size() == 2);
    CHECK_THAT(lines[0], ContainsSubstring(" 1/2  loss 0.500  acc 50.0 %"));
    CHECK_THAT(lines[1], ContainsSubstring(" 2/2  loss 0.500  acc 50.0 %"));
    CHECK(text.find('\n') == text.size() - 1);
}

TEST_CASE("progress is one plain line per row on another terminal", "[train]") {
    for (const std::optional<std::string>& kind : {std::optional<std::string>("dumb"), {""}, {}}) {
        Terminal terminal(kind);
        show_two_rows();
        const std::string text = terminal.text();
        CAPTURE(kind.value_or("unset"), text);
        CHECK(text.find('\033') == text.npos);
        CHECK(text.rfind("step 1/2  loss 0.5000  accuracy 50.00 %  rate 0.1  100 images/s  0 s left", 0) == 0);
        CHECK_THAT(text, ContainsSubstring("\r\nstep 2/2  loss 0.5000"));  // The terminal adds the carriage return.
    }
}

TEST_CASE("progress moves at least twice a second, without rows and within a long step", "[train]") {
    Terminal terminal("xterm");
    std::atomic<int64_t> completed = 7;
    {
        Progress progress(100, 16);
        const Progress::Live live(progress, [&] { return completed.load(); });
        wait(1500);
        completed = 9;
        progress.set_activity("evaluating");
        wait(1000);
    }
    const auto lines = redrawn(terminal.text());
    REQUIRE(lines.size() >= 5);
    for (size_t i = 1; i < lines.size(); ++i) CHECK(lines[i] != lines[i - 1]);
    // Not only the spinner in the bar: also the elapsed time, and the updates.
    std::set<std::string> texts;
    for (const std::string& line : lines) texts.insert(line.substr(line.find(']')));
    CHECK(texts.size() >= 3);
    CHECK_THAT(lines.front(), ContainsSubstring(" 7/100  0:0"));
    CHECK_THAT(lines.back(), ContainsSubstring(" 9/100  evaluating  "));
}

TEST_CASE("progress does not fall behind its rows", "[train]") {
    Terminal terminal("xterm");
    {
        Progress progress(100, 16);
        const Progress::Live live(progress, [] { return 40; });
        progress.show(residual::TrainingRow{50, 0.5, 0.5, 0.5, 0.1, 100});
    }
    CHECK_THAT(redrawn(terminal.text()).back(), ContainsSubstring("] 50/100  "));
}

TEST_CASE("a stopped terminal does not hold up updates", "[train]") {
    Terminal terminal("xterm");
    {
        Progress progress(100, 16);
        const Progress::Live live(progress, [] { return 50; });
        terminal.stop();
        wait(1000);
        auto updates = std::async(std::launch::async, [&] {
            progress.set_activity("evaluating");
            progress.set_activity("");
        });
        CHECK(updates.wait_for(std::chrono::seconds(10)) == std::future_status::ready);
        terminal.go_on();
    }
    CHECK_FALSE(redrawn(terminal.text()).empty());
}

TEST_CASE("progress goes on after running out of memory", "[train]") {
    Terminal terminal("xterm");
    std::atomic<int> reads = 0;
    {
        Progress progress(100, 16);
        const Progress::Live live(progress, [&]() -> int64_t {
            if (++reads == 2) throw std::bad_alloc();
            return 50;
        });
        wait(1000);
    }
    CHECK(reads >= 3);
    CHECK_FALSE(redrawn(terminal.text()).empty());
}

TEST_CASE("progress follows the width of the terminal", "[train]") {
    Terminal terminal("xterm", 200);
    {
        Progress progress(100, 16);
        const Progress::Live live(progress, [] { return 50; });
        wait(1000);
        terminal.resize(20);
        wait(1000);
    }
    const std::string text = terminal.text();
    const auto lines = redrawn(text);
    REQUIRE(lines.size() >= 2);
    CHECK(lines.front().size() == 55);
    CHECK(lines.back().size() < 20);
    // The terminal has broken the longer line into three.
    CHECK_THAT(text, ContainsSubstring("\r\033[2A\033[J"));
}

TEST_CASE("other output interrupts progress on a line of its own", "[train]") {
    Terminal terminal("xterm");
    {
        Progress progress(100, 16);
        const Progress::Live live(progress, [] { return 50; });
        progress.show(residual::TrainingRow{50, 0.5, 0.5, 0.5, 0.1, 100});
        {
            const auto quiet = progress.interrupt();
            std::printf("warning\n");
            wait(1000);
        }
        progress.show(residual::EvaluationRow{50, 0.25, 0.75});
        wait(1000);
    }
    const std::string text = terminal.text();
    CHECK_THAT(text, ContainsSubstring("\033[?7h\r\033[Kwarning\r\n"));
    CHECK_THAT(text, ContainsSubstring("step  50/100  test loss 0.2500  test accuracy 75.00 %\r\n\r\033[K\033[?7l"));
}

TEST_CASE("a run that prints nothing else prints its state now and then in a log", "[train]") {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds kSilence(600);
    Terminal terminal("dumb");
    const auto start = Clock::now();
    {
        Progress progress(100, 16, kSilence);
        const Progress::Live live(progress, [] { return 50; });
        progress.show(residual::TrainingRow{40, 0.5, 0.5, 0.5, 0.1, 100});
        wait(1500);
    }
    const auto longest = Clock::now() - start;
    const std::string text = terminal.text();
    CAPTURE(text);
    std::istringstream lines(text);
    std::vector<std::string> found;
    for (std::string line; std::getline(lines, line);) found.push_back(line);
    REQUIRE(found.size() >= 2);
    CHECK(found.size() - 1 <= static_cast<size_t>(longest / kSilence));
    CHECK_THAT(found[0], StartsWith("step  40/100  loss 0.5000  accuracy 50.00 %"));
    CHECK_THAT(found[1], StartsWith("step 50/100  loss 0.500  acc 50.0 %  0:0") && ContainsSubstring(" elapsed"));
}
