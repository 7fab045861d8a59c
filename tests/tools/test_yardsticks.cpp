// kernel-bench's peak rates.
#include "engine/core/error.h"
#include "tests/catch.h"
#include "tools/bench/kernel_bench/yardsticks.h"

TEST_CASE("a peak rate that cannot be measured is reported and does not hide the others", "[tools]") {
    residual::bench::Yardsticks yardsticks{1, {}, {}};
    CHECK(yardsticks.most_flops_per_second() == 0);
    yardsticks.add("broken", []() -> double { throw residual::Error("no algorithm"); });
    yardsticks.add("slow", [] { return 2.0; });
    yardsticks.add("fast", [] { return 3.0; });
    CHECK(yardsticks.products.size() == 2);
    CHECK(yardsticks.most_flops_per_second() == 3);
    REQUIRE(yardsticks.failures.size() == 1);
    CHECK(yardsticks.failures[0].source == "broken");
    CHECK(yardsticks.failures[0].reason == "no algorithm");
}
