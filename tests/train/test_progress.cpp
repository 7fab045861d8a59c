#include "engine/train/progress.h"

#include <limits>

#include "tests/catch.h"

using residual::duration_text;

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
