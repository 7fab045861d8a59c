#include "engine/train/progress.h"

#include <pty.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>

#include "tests/catch.h"

using residual::duration_text;

namespace {

// What Progress prints for two rows on a terminal, with this value of TERM.
std::string printed_on_terminal(const std::optional<std::string>& kind) {
    const char* inherited = std::getenv("TERM");
    const std::optional<std::string> before = inherited ? std::optional<std::string>(inherited) : std::nullopt;
    const auto set_kind = [](const std::optional<std::string>& value) {
        if (value) {
            setenv("TERM", value->c_str(), 1);
        } else {
            unsetenv("TERM");
        }
    };
    int reading = -1, terminal = -1;
    REQUIRE(openpty(&reading, &terminal, nullptr, nullptr, nullptr) == 0);
    std::fflush(stdout);
    const int standard_output = dup(STDOUT_FILENO);
    dup2(terminal, STDOUT_FILENO);
    set_kind(kind);
    {
        residual::Progress progress(2, 16);
        for (const int64_t step : {1, 2}) progress.show(residual::TrainingRow{step, 0.5, 0.5, 0.5, 0.1, 100});
    }
    set_kind(before);
    dup2(standard_output, STDOUT_FILENO);
    close(standard_output);
    close(terminal);
    std::string text;
    // With the terminal closed, a read fails once everything has been read.
    std::array<char, 4096> part{};
    for (ssize_t bytes = 0; (bytes = read(reading, part.data(), part.size())) > 0;) {
        text.append(part.data(), static_cast<size_t>(bytes));
    }
    close(reading);
    return text;
}

}  // namespace

TEST_CASE("progress is redrawn in place on a terminal that understands escape sequences", "[train]") {
    const std::string text = printed_on_terminal("xterm");
    CHECK_THAT(text, ContainsSubstring("\r\033[K\033[?7lstep 1/2") && ContainsSubstring("\r\033[K\033[?7lstep 2/2"));
    CHECK(text.find('\n') == text.size() - 1);
}

TEST_CASE("progress is one plain line per row on another terminal", "[train]") {
    for (const std::optional<std::string>& kind : {std::optional<std::string>("dumb"), {""}, {}}) {
        const std::string text = printed_on_terminal(kind);
        CAPTURE(kind.value_or("unset"), text);
        CHECK(text.find('\033') == text.npos);
        CHECK(text.rfind("step 1/2  loss 0.5000", 0) == 0);
        CHECK_THAT(text, ContainsSubstring("\r\nstep 2/2  loss 0.5000"));  // The terminal adds the carriage return.
    }
}

TEST_CASE("durations are shown in the two largest units", "[train]") {
    CHECK(duration_text(0) == "0 s");
    CHECK(duration_text(59.4) == "59 s");
    CHECK(duration_text(59.5) == "1 min 00 s");
    CHECK(duration_text(3599) == "59 min 59 s");
    CHECK(duration_text(3720) == "1 h 02 min");
}

TEST_CASE("a huge, infinite or NaN duration has a text", "[train]") {
    CHECK(duration_text(1e30) == "over 1000000 h");
    CHECK(duration_text(std::numeric_limits<double>::infinity()) == "over 1000000 h");
    CHECK(duration_text(std::numeric_limits<double>::quiet_NaN()) == "over 1000000 h");
}
