#include "engine/metrics/classification.h"

#include <cmath>
#include <limits>

#include "engine/core/error.h"
#include "tests/catch.h"

using namespace residual;

namespace {

using Logits = std::vector<float>;
using Labels = std::vector<int64_t>;

// An image of class `label` predicted as `predicted`.
Prediction made(int64_t label, int64_t predicted, double probability) {
    return {label, predicted, probability};
}

}  // namespace

TEST_CASE("the prediction is the largest logit, with its softmax probability", "[metrics]") {
    // exp: 1 : 3 : 4, and 2 : 1 : 1.
    const Logits logits = {0, std::log(3.0F), std::log(4.0F), std::log(2.0F), 0, 0};
    const auto predictions = predictions_of(logits, Labels{1, 0});
    REQUIRE(predictions.size() == 2);
    CHECK(predictions[0].label == 1);
    CHECK(predictions[0].predicted == 2);
    CHECK(predictions[0].probability == Approx(0.5));
    CHECK_FALSE(predictions[0].correct());
    CHECK(predictions[1].predicted == 0);
    CHECK(predictions[1].probability == Approx(0.5));
    CHECK(predictions[1].correct());
    CHECK(predictions_of({}, {}).empty());
}

TEST_CASE("of equal logits the lowest class is predicted", "[metrics]") {
    const auto predictions = predictions_of(Logits{1, 5, 5, 5}, Labels{2});
    CHECK(predictions[0].predicted == 1);
    CHECK(predictions[0].probability == Approx(1 / (3 + std::exp(-4.0))));
}

TEST_CASE("large logits do not overflow the probability", "[metrics]") {
    const auto predictions = predictions_of(Logits{1000, 0, -3e38F, 3e38F}, Labels{0, 1});
    CHECK(predictions[0].probability == 1);
    CHECK(predictions[1].probability == 1);
    CHECK(predictions[1].predicted == 1);
}

TEST_CASE("a single class is always right with probability 1", "[metrics]") {
    const Logits logits = {-7, 3};
    const Labels labels = {0, 0};
    const auto predictions = predictions_of(logits, labels);
    CHECK(predictions[0].correct());
    CHECK(predictions[0].probability == 1);
    CHECK(top_k_accuracy(logits, labels) == 1);
    CHECK(ConfusionMatrix(1, predictions).accuracy(0) == 1.0);
    CHECK(expected_calibration_error(predictions) == 0);
}

TEST_CASE("an image counts in the top five if fewer than five classes rank above its label", "[metrics]") {
    // Class k has the logit -k: the label's rank is its number.
    const Logits row = {0, -1, -2, -3, -4, -5, -6};
    CHECK(top_k_accuracy(row, Labels{4}) == 1);
    CHECK(top_k_accuracy(row, Labels{5}) == 0);
    CHECK(top_k_accuracy(row, Labels{1}, 1) == 0);
    CHECK(top_k_accuracy(row, Labels{0}, 1) == 1);
    // Six equal logits: the first five classes are the top five.
    const Logits equal = {2, 2, 2, 2, 2, 2};
    CHECK(top_k_accuracy(equal, Labels{4}) == 1);
    CHECK(top_k_accuracy(equal, Labels{5}) == 0);
    // Fewer than five classes.
    CHECK(top_k_accuracy(Logits{3, 2, 1, 0, 3, 2, 1, 0}, Labels{3, 0}) == 1);
    // Half of the images.
    CHECK(top_k_accuracy(Logits{3, 2, 1, 0, 3, 2, 1, 0}, Labels{3, 0}, 3) == 0.5);
}

TEST_CASE("the top class of top_k_accuracy is the predicted class", "[metrics]") {
    const Logits logits = {1, 5, 5, 5, 2, 2, 2, 2};
    for (int64_t label = 0; label < 4; ++label) {
        const Labels labels = {label, label};
        const auto predictions = predictions_of(logits, labels);
        const double correct = (predictions[0].correct() ? 0.5 : 0) + (predictions[1].correct() ? 0.5 : 0);
        CHECK(top_k_accuracy(logits, labels, 1) == correct);
    }
}

TEST_CASE("the confusion matrix counts true classes in rows, predicted ones in columns", "[metrics]") {
    const std::vector<Prediction> predictions = {made(0, 0, 1), made(0, 2, 1), made(0, 2, 1), made(2, 2, 1)};
    const ConfusionMatrix matrix(3, predictions);
    CHECK(matrix.classes() == 3);
    const int64_t expected[3][3] = {{1, 0, 2}, {0, 0, 0}, {0, 0, 1}};
    for (int label = 0; label < 3; ++label) {
        for (int predicted = 0; predicted < 3; ++predicted) {
            CHECK(matrix.count(label, predicted) == expected[label][predicted]);
        }
    }
    CHECK(matrix.images(0) == 3);
    CHECK(matrix.images(1) == 0);
    CHECK(*matrix.accuracy(0) == Approx(1.0 / 3));
    CHECK_FALSE(matrix.accuracy(1).has_value());
    CHECK(*matrix.accuracy(2) == 1);
}

TEST_CASE("the calibration error is the mean over images of the bins' differences", "[metrics]") {
    // Bin (0.8, 13/15]: accuracy 1/2, mean probability 0.83. Bin (14/15, 1]: accuracy 1, mean 0.97. All others empty.
    const std::vector<Prediction> predictions = {made(0, 0, 0.82), made(1, 0, 0.84), made(0, 0, 0.96),
                                                 made(1, 1, 0.98)};
    CHECK(expected_calibration_error(predictions) == Approx((2 * 0.33 + 2 * 0.03) / 4));
    // One bin: accuracy 3/4, mean probability 0.9.
    CHECK(expected_calibration_error(predictions, 1) == Approx(0.15));
}

TEST_CASE("a probability on the edge of two bins belongs to the lower", "[metrics]") {
    // Of two bins, 0.5 falls into the first: |0 - 0.5| and |1 - 0.75| do not cancel out.
    CHECK(expected_calibration_error(std::vector{made(0, 1, 0.5), made(0, 0, 0.75)}, 2) == Approx(0.375));
    // In one bin they would partly: |1/2 - 0.625|.
    CHECK(expected_calibration_error(std::vector{made(0, 1, 0.5), made(0, 0, 0.75)}, 1) == Approx(0.125));
}

TEST_CASE("a probability of exactly 1 is in the last bin", "[metrics]") {
    CHECK(expected_calibration_error(std::vector{made(0, 0, 1), made(3, 3, 1)}) == 0);
    CHECK(expected_calibration_error(std::vector{made(0, 1, 1), made(3, 3, 1)}) == Approx(0.5));
    CHECK(expected_calibration_error(std::vector{made(0, 1, 1)}) == 1);
}

TEST_CASE("logits that are not finite are refused, with image and class", "[metrics]") {
    const Labels labels = {0, 1};
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
        const Logits logits = {0, 1, 2, 3, 4, bad};
        CHECK_THROWS_AS(predictions_of(logits, labels), Error);
        CHECK_THROWS_AS(top_k_accuracy(logits, labels), Error);
        CHECK_THROWS_WITH(predictions_of(logits, labels), ContainsSubstring("image 1: the logit of class 2 is"));
    }
}

TEST_CASE("labels outside the classes are a bug of the caller", "[metrics]") {
    CHECK_THROWS_AS(predictions_of(Logits{0, 1}, Labels{2}), AssertionError);
    CHECK_THROWS_AS(predictions_of(Logits{0, 1, 2}, Labels{0, 1}), AssertionError);
}
