#include "engine/core/error.h"
#include "engine/optim/schedule.h"
#include "tests/catch.h"

using residual::learning_rate;

TEST_CASE("a boundary is the first step with the next value", "[schedule]") {
    const residual::ScheduleConfig schedule;
    CHECK(learning_rate(schedule, 0) == 0.01);
    CHECK(learning_rate(schedule, 499) == 0.01);
    CHECK(learning_rate(schedule, 500) == 0.1);
    CHECK(learning_rate(schedule, 31999) == 0.1);
    CHECK(learning_rate(schedule, 32000) == 0.01);
    CHECK(learning_rate(schedule, 47999) == 0.01);
    CHECK(learning_rate(schedule, 48000) == 0.001);
    CHECK(learning_rate(schedule, 1000000) == 0.001);
}

TEST_CASE("a schedule without boundaries is constant, and a boundary at 0 skips the first value", "[schedule]") {
    residual::ScheduleConfig schedule;
    schedule.boundaries = {};
    schedule.values = {0.3};
    CHECK(learning_rate(schedule, 0) == 0.3);
    CHECK(learning_rate(schedule, 64000) == 0.3);
    schedule.boundaries = {0, 1};
    schedule.values = {0.3, 0.2, 0.1};
    CHECK(learning_rate(schedule, 0) == 0.2);
    CHECK(learning_rate(schedule, 1) == 0.1);
}

TEST_CASE("an unchecked invalid schedule or step fails an assertion", "[schedule]") {
    residual::ScheduleConfig schedule;
    CHECK_THROWS_AS(learning_rate(schedule, -1), residual::AssertionError);
    schedule.values = {0.1};
    CHECK_THROWS_AS(learning_rate(schedule, 0), residual::AssertionError);
}
