#include "engine/train/progress_line.h"

#include <limits>
#include <set>
#include <string>

#include "tests/catch.h"

using namespace residual;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNaN = std::numeric_limits<double>::quiet_NaN();

ProgressState state() {
    return {.step = 16000,
            .steps = 64000,
            .loss = 0.43216,
            .accuracy = 0.8512,
            .activity = {},
            .images_per_second = 961.7,
            .elapsed = 3723,
            .left = 7384};
}

}  // namespace

TEST_CASE("a progress line shows what fits, the most important first", "[train]") {
    CHECK(progress_line(state(), 120, 0) ==
          "[#########|..............................] 16000/64000  loss 0.432  acc 85.1 %  962 img/s  1:02:03  "
          "2:03:04 left");
    CHECK(progress_line(state(), 80, 1) ==
          "[#/.....] 16000/64000  loss 0.432  acc 85.1 %  962 img/s  1:02:03  2:03:04 left");
    CHECK(progress_line(state(), 55, 2) == "- 16000/64000  loss 0.432  962 img/s  2:03:04 left");
    CHECK(progress_line(state(), 40, 3) == "\\ 16000/64000  loss 0.432  2:03:04 left");
    CHECK(progress_line(state(), 20, 4) == "| 16000/64000");
    CHECK(progress_line(state(), 8, 5) == "/ 16000");
    CHECK(progress_line(state(), 1, 6) == "-");
    CHECK(progress_line(state(), 0, 7) == "\\");
}

TEST_CASE("80 columns show everything of a long run", "[train]") {
    ProgressState slow = state();
    slow.images_per_second = 54.3;
    slow.elapsed = slow.left.emplace(75600);
    ProgressState fast = state();
    fast.images_per_second = 30720;
    fast.elapsed = fast.left.emplace(133);
    for (const ProgressState& shown : {slow, fast}) {
        const std::string line = progress_line(shown, 80, 0);
        CHECK_THAT(line, StartsWith("[") && ContainsSubstring("] 16000/64000  loss 0.432  acc 85.1 %  "));
        CHECK(line.find(']') >= 1 + 6);
    }
    CHECK_THAT(progress_line(slow, 80, 0), EndsWith("54 img/s  21:00:00  21:00:00 left"));
    CHECK_THAT(progress_line(fast, 80, 0), EndsWith("30720 img/s  2:13  2:13 left"));
}

TEST_CASE("a progress line has the bar's longest length on a wide terminal", "[train]") {
    const std::string line = progress_line(state(), 1000, 0);
    CHECK(line.find(']') == 41);
}

TEST_CASE("a progress line is never as wide as the terminal", "[train]") {
    ProgressState evaluating = state();
    evaluating.activity = "evaluating";
    ProgressState extreme = state();
    extreme.steps = extreme.step = std::numeric_limits<int64_t>::max();
    extreme.loss = 1e38;
    extreme.left = kInfinity;
    for (const ProgressState& shown : {state(), evaluating, extreme, ProgressState{}}) {
        for (int columns = 1; columns <= 250; ++columns) {
            const size_t length = progress_line(shown, columns, columns).size();
            REQUIRE(length <= static_cast<size_t>(std::max(columns - 1, 1)));
        }
    }
}

TEST_CASE("each progress line differs from the previous one, also if nothing else has changed", "[train]") {
    for (const int columns : {2, 40, 80, 200}) {
        for (int frame = 0; frame < 8; ++frame) {
            CHECK(progress_line(state(), columns, frame) != progress_line(state(), columns, frame + 1));
        }
    }
}

TEST_CASE("a bar is empty at first and full at the end", "[train]") {
    ProgressState shown;
    shown.steps = 10;
    CHECK(progress_line(shown, 40, 0) == "[|.........................] 0/10  0:00");
    shown.step = 10;
    CHECK(progress_line(shown, 40, 0) == "[########################|] 10/10  0:00");
}

TEST_CASE("a progress line shows an activity in place of the speed", "[train]") {
    ProgressState shown = state();
    shown.activity = "evaluating";
    CHECK(progress_line(shown, 40, 0) == "| 16000/64000  evaluating  2:03:04 left");
    CHECK(progress_text(shown) ==
          "step 16000/64000  evaluating  loss 0.432  acc 85.1 %  1:02:03 elapsed  2:03:04 left");
    shown.activity = "";
    CHECK(progress_text(shown) == "step 16000/64000  loss 0.432  acc 85.1 %  962 img/s  1:02:03 elapsed  2:03:04 left");
}

TEST_CASE("the recent speed is that of the last seconds", "[train]") {
    RecentSpeed speed;
    CHECK_FALSE(speed.per_second());
    speed.add(0, 100);
    CHECK_FALSE(speed.per_second());
    // Ten a second, then two a second.
    for (int tenth = 1; tenth <= 100; ++tenth) speed.add(0.1 * tenth, 100 + tenth);
    CHECK(*speed.per_second() == Approx(10));
    for (int half = 1; half <= 40; ++half) speed.add(10 + 0.5 * half, 200 + half);
    CHECK(*speed.per_second() == Approx(2));
}

TEST_CASE("the recent speed of steps that take longer than the window is that of the last step", "[train]") {
    RecentSpeed speed;
    for (int quarter = 0; quarter <= 160; ++quarter) speed.add(0.25 * quarter, quarter / 80);
    CHECK(*speed.per_second() == Approx(1 / 20.0));
}

TEST_CASE("the recent speed falls while nothing happens", "[train]") {
    RecentSpeed speed;
    for (int second = 0; second <= 5; ++second) speed.add(second, 10 * second);
    speed.add(9, 50);
    CHECK(*speed.per_second() == Approx(10));
    speed.add(25, 50);
    CHECK(*speed.per_second() == Approx(1 / 20.0));
    speed.add(105, 50);
    CHECK(*speed.per_second() == Approx(1 / 100.0));
}

TEST_CASE("a pause does not count towards the recent speed", "[train]") {
    RecentSpeed speed;
    for (int second = 0; second <= 5; ++second) speed.add(second, 10 * second);
    speed.resume();
    CHECK(*speed.per_second() == Approx(10));
    for (int second = 0; second <= 5; ++second) speed.add(1000 + second, 50 + 20 * second);
    CHECK(*speed.per_second() == Approx(20));
}

TEST_CASE("durations are shown in the two largest units", "[train]") {
    CHECK(duration_text(0) == "0 s");
    CHECK(duration_text(59.4) == "59 s");
    CHECK(duration_text(59.5) == "1 min 00 s");
    CHECK(duration_text(3599) == "59 min 59 s");
    CHECK(duration_text(3720) == "1 h 02 min");
}

TEST_CASE("times are shown like a clock", "[train]") {
    CHECK(clock_text(0) == "0:00");
    CHECK(clock_text(59.9) == "0:59");
    CHECK(clock_text(754) == "12:34");
    CHECK(clock_text(360000) == "100:00:00");
}

TEST_CASE("a huge, infinite or NaN duration has a text", "[train]") {
    for (const double seconds : {1e30, kInfinity, kNaN}) {
        CHECK(duration_text(seconds) == "over 1000000 h");
        CHECK(clock_text(seconds) == "over 1000000 h");
    }
}
