#include "tools/report/rows.h"

#include "tests/catch.h"

using namespace residual::tools;

namespace {

const std::string kTraining =
    R"({"step":2,"train_loss":3.5,"train_cross_entropy":3,"train_accuracy":0.25,"learning_rate":0.1,"images_per_second":64})"
    "\n"
    R"({"step":4,"train_loss":2.5,"train_cross_entropy":2,"train_accuracy":0.5,"learning_rate":0.01,"images_per_second":32})"
    "\n";
const std::string kTest = R"({"step":4,"test_loss":1.5,"test_accuracy":0.75})"
                          "\n";

}  // namespace

TEST_CASE("training and evaluation rows are read", "[report]") {
    const Rows rows = parse_rows(kTraining + kTest);
    CHECK(rows.remarks.empty());
    REQUIRE(rows.training.size() == 2);
    CHECK(rows.training[1].step == 4);
    CHECK(rows.training[1].loss == 2.0);
    CHECK(rows.training[1].error == 0.5);
    CHECK(rows.training[1].learning_rate == 0.01);
    CHECK(rows.training[1].images_per_second == 32.0);
    REQUIRE(rows.test.size() == 1);
    CHECK(rows.test[0].loss == 1.5);
    CHECK(rows.test[0].error == 0.25);
    CHECK(rows.last_step() == 4);
    CHECK(parse_rows("").last_step() == 0);
    CHECK(parse_rows("").remarks.empty());
}

TEST_CASE("a row may lack values", "[report]") {
    const Rows rows = parse_rows("{\"step\": 7, \"train_cross_entropy\": 1}\n{\"step\": 7, \"test_loss\": 2}\n");
    CHECK(rows.remarks.empty());
    REQUIRE(rows.training.size() == 1);
    CHECK_FALSE(rows.training[0].error);
    CHECK_FALSE(rows.training[0].learning_rate);
    REQUIRE(rows.test.size() == 1);
    CHECK_FALSE(rows.test[0].error);
    CHECK(best_of(rows) == nullptr);
}

TEST_CASE("damaged lines are left out, counted, and the first is named", "[report]") {
    for (const std::string damage :
         {"", "garbage", "[1]", "7", "{\"step\": \"2\"}", "{\"test_loss\": 1}", "{\"step\": -1, \"test_loss\": 1}",
          "{\"step\": 2, \"test_loss\": null}", "{\"step\": 2, \"test_loss\": 1e999}",
          "{\"step\": 2, \"test_loss\": -1}", "{\"step\": 2, \"test_loss\": 1, \"test_accuracy\": 1.5}",
          "{\"step\": 2, \"train_cross_entropy\": 1, \"train_accuracy\": \"high\"}", "{\"step\": 2}",
          "{\"step\": 4, \"learning_rate\": 0.1}", "{\"step\": 2, \"test_loss\": 1e31}",
          "{\"step\": 2, \"test_loss\": 1e-31}",
          "{\"step\": 2, \"train_cross_entropy\": 1, \"images_per_second\": 1e-300}",
          "{\"step\": 2, \"test_loss\": 1, \"test_acc", "\xff\xfe"}) {
        INFO(damage);
        const Rows rows = parse_rows(kTraining + damage + '\n' + kTest);
        CHECK(rows.training.size() == 2);
        CHECK(rows.test.size() == 1);
        REQUIRE(rows.remarks.size() == 1);
        CHECK_THAT(rows.remarks[0], ContainsSubstring("line 3: this is not a row of a run and was left out"));
    }
    const Rows rows = parse_rows("x\n" + kTraining + "x\n" + std::string("\0\0", 2) + "\n" + kTest);
    CHECK(rows.test.size() == 1);
    REQUIRE(rows.remarks.size() == 1);
    CHECK_THAT(rows.remarks[0], ContainsSubstring("3 lines are not rows of a run") && ContainsSubstring("line 1"));
}

TEST_CASE("a loss may be 0", "[report]") {
    const Rows rows = parse_rows("{\"step\": 2, \"test_loss\": 0}\n");
    CHECK(rows.remarks.empty());
    CHECK(rows.test.size() == 1);
}

TEST_CASE("rows beyond the steps of the run are damaged", "[report]") {
    const std::string beyond = "{\"step\": 9223372036854775807, \"test_loss\": 1}\n";
    const Rows rows = parse_rows(kTraining + kTest + beyond, 4);
    CHECK(rows.last_step() == 4);
    REQUIRE(rows.remarks.size() == 1);
    CHECK_THAT(rows.remarks[0], ContainsSubstring("line 4: this is not a row"));
    CHECK(parse_rows(kTraining + kTest, 3).last_step() == 2);
    CHECK(parse_rows(beyond).last_step() == INT64_MAX);
}

TEST_CASE("an incomplete last line is left out, even if it looks complete", "[report]") {
    const Rows rows = parse_rows(kTraining + kTest.substr(0, kTest.size() - 1));
    CHECK(rows.training.size() == 2);
    CHECK(rows.test.empty());
    REQUIRE(rows.remarks.size() == 1);
    CHECK_THAT(rows.remarks[0], ContainsSubstring("line 3: the last line is incomplete"));
}

TEST_CASE("rows are ordered by step, and the last one of a step counts", "[report]") {
    const Rows rows = parse_rows(
        "{\"step\": 4, \"test_loss\": 1}\n{\"step\": 2, \"test_loss\": 2}\n{\"step\": 4, \"test_loss\": 3}\n");
    REQUIRE(rows.test.size() == 2);
    CHECK(rows.test[0].step == 2);
    CHECK(rows.test[1].loss == 3.0);
}

TEST_CASE("the best evaluation is the first with the lowest error", "[report]") {
    const Rows rows = parse_rows(
        "{\"step\": 1, \"test_loss\": 1, \"test_accuracy\": 0.5}\n{\"step\": 2, \"test_loss\": 1, \"test_accuracy\": "
        "0.75}\n"
        "{\"step\": 3, \"test_loss\": 1, \"test_accuracy\": 0.75}\n{\"step\": 4, \"test_loss\": 1, \"test_accuracy\": "
        "0.25}\n");
    REQUIRE(best_of(rows) != nullptr);
    CHECK(best_of(rows)->step == 2);
}

TEST_CASE("training time is images divided by images per second", "[report]") {
    // 2 steps of 16 images at 64 images/s, then 2 at 32.
    const std::string last = "{\"step\": 6, \"train_cross_entropy\": 1}\n";  // No speed: its steps do not count.
    for (const std::string& text : {kTraining, kTraining + last}) {
        const auto time = training_time(parse_rows(text), 16);
        REQUIRE(time);
        CHECK(time->seconds == Approx(0.5 + 1.0));
        CHECK(time->steps == 4);
    }
    CHECK_FALSE(training_time(parse_rows(kTest), 16));
    CHECK_FALSE(training_time(parse_rows("{\"step\": 2, \"train_cross_entropy\": 1, \"images_per_second\": 0}\n"), 16));
}

TEST_CASE("merged rows are means over their steps", "[report]") {
    std::vector<Row> rows;
    for (const int64_t step : {10, 20, 40, 50, 60}) {
        rows.push_back({step, static_cast<double>(step), 0.5, 1.0 / static_cast<double>(step), 1.0});
    }
    const auto pairs = merged(rows, 3);
    REQUIRE(pairs.size() == 3);
    CHECK(pairs[0].step == 20);
    CHECK(*pairs[0].loss == Approx(15));
    CHECK(*pairs[1].loss == Approx((40 * 20 + 50 * 10) / 30.0));
    CHECK(*pairs[1].learning_rate == Approx(0.02));
    CHECK(pairs[2].step == 60);
    CHECK(*pairs[2].loss == Approx(60));
    CHECK(*pairs[2].error == 0.5);
    CHECK(merged(rows, 5).size() == 5);
    CHECK(merged({}, 5).empty());
}
