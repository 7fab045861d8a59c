#include "tools/report/axis.h"

#include "tests/catch.h"
#include "tools/report/chart.h"

using namespace residual::tools;

namespace {

std::vector<std::string> labels(const Axis& axis) {
    std::vector<std::string> out;
    for (const double tick : axis.ticks()) out.push_back(tick_label(tick));
    return out;
}

using Labels = std::vector<std::string>;

}  // namespace

TEST_CASE("linear ticks are round numbers that enclose the values", "[report]") {
    CHECK(labels({Scale::linear, 0, 64000, 4}) == Labels{"0", "20,000", "40,000", "60,000", "80,000"});
    CHECK(labels({Scale::linear, 0, 300, 4}) == Labels{"0", "100", "200", "300"});
    CHECK(labels({Scale::linear, 0, 13.75, 6}) == Labels{"0", "5", "10", "15"});
    CHECK(labels({Scale::linear, 0.01, 0.1, 6}) == Labels{"0", "0.02", "0.04", "0.06", "0.08", "0.1"});
    CHECK(labels({Scale::linear, 0, 1, 4}) == Labels{"0", "0.5", "1"});
    const Axis axis(Scale::linear, 0, 13.75, 6);
    CHECK(axis.position(0) == 0);
    CHECK(axis.position(15) == 1);
    CHECK(axis.position(7.5) == Approx(0.5));
}

TEST_CASE("a linear axis may end at the values", "[report]") {
    const Axis axis(Scale::linear, 0, 64000, 4, Ends::at_values);
    CHECK(labels(axis) == Labels{"0", "20,000", "40,000", "60,000"});
    CHECK(axis.position(64000) == 1);
    CHECK(labels({Scale::linear, 0, 240, 4, Ends::at_values}) == Labels{"0", "100", "200"});
    CHECK(labels({Scale::linear, 0.3, 0.9, 6, Ends::at_values}) ==
          Labels{"0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"});
    CHECK(labels({Scale::linear, 0, 1, 4, Ends::at_values}) == Labels{"0", "0.5", "1"});
}

TEST_CASE("a linear axis of one value has a width", "[report]") {
    for (const double value : {0.0, 0.1, 5.0, 1e12}) {
        const Axis axis(Scale::linear, value, value, 4);
        CHECK(axis.low() <= value);
        CHECK(axis.high() > value);
        CHECK(axis.ticks().size() >= 2);
        CHECK(axis.ticks().size() <= 6);
        CHECK(axis.high() <= (value == 0 ? 1 : 2.5 * value));
    }
}

TEST_CASE("logarithmic ticks are powers of ten, or between them too", "[report]") {
    CHECK(labels({Scale::logarithmic, 0.001, 0.1, 6}) ==
          Labels{"0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1"});
    CHECK(labels({Scale::logarithmic, 0.01, 10, 6}) == Labels{"0.01", "0.03", "0.1", "0.3", "1", "3", "10"});
    CHECK(labels({Scale::logarithmic, 1e-5, 1, 6}) == Labels{"1e-05", "0.0001", "0.001", "0.01", "0.1", "1"});
    CHECK(labels({Scale::logarithmic, 1e-12, 1, 6}).size() == 7);
    const Axis axis(Scale::logarithmic, 0.01, 100, 6);
    CHECK(axis.position(1) == Approx(0.5));
    CHECK(axis.position(0) < 0);
}

TEST_CASE("a logarithmic axis of one value has a width and ticks", "[report]") {
    for (const double value : {0.3, 1.0, 7e-9}) {
        const Axis axis(Scale::logarithmic, value, value, 6);
        CHECK(axis.low() < value);
        CHECK(axis.high() > value);
        CHECK_FALSE(axis.ticks().empty());
    }
}

TEST_CASE("tick labels are short", "[report]") {
    CHECK(tick_label(0) == "0");
    CHECK(tick_label(-0.5) == "-0.5");
    CHECK(tick_label(3 * 0.1) == "0.3");
    CHECK(tick_label(999) == "999");
    CHECK(tick_label(1000) == "1,000");
    CHECK(tick_label(269722) == "269,722");
    CHECK(tick_label(1e15) == "1e+15");
}

TEST_CASE("a chart draws each line once, and steps as horizontal and vertical lines", "[report]") {
    const Chart chart{"id",
                      "a <chart>",
                      "x",
                      "y (%)",
                      {Scale::linear, 0, 10, 2},
                      {Scale::linear, 0, 10, 2},
                      {{.name = "a & b", .style = 8, .points = {{0, 0}, {10, 10}}, .dashed = true},
                       {.name = "rate", .style = 1, .points = {{5, 10}, {10, 0}}, .steps = true},
                       {.name = "one point", .style = 2, .points = {{5, 5}}},
                       {.name = "none", .style = 3, .points = {}}}};
    const std::string text = svg(chart);
    CHECK_THAT(text, ContainsSubstring("aria-label=\"a &lt;chart&gt;\""));
    CHECK_THAT(text, ContainsSubstring(
                         "<g class=\"run1 round1\"><title>a &amp; b</title><path class=\"line dashed\" d=\"M54.0 "
                         "274.0L444.0 28.0\" />"));
    CHECK_THAT(text, ContainsSubstring("d=\"M54.0 28.0V28.0H249.0V274.0H444.0\""));
    CHECK_THAT(text, ContainsSubstring("<path class=\"marker\" d=\"M249.0 151.0m-3 0"));
    CHECK_THAT(text, !ContainsSubstring("none"));
}
