// Figures of a classifier beyond its accuracy, computed on the host from the logits of all images.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace residual {

struct Prediction {
    int64_t label = 0;       // The true class.
    int64_t predicted = 0;   // The class with the largest logit; of equal ones the lowest, as in ops/loss.h.
    double probability = 0;  // The softmax probability of `predicted`.

    bool correct() const { return predicted == label; }
};

// One prediction per image. `logits` is [labels.size(), classes], row-major, with labels in [0, classes). Throws Error
// if a logit is not finite.
std::vector<Prediction> predictions_of(std::span<const float> logits, std::span<const int64_t> labels);

// Fraction of the images for which fewer than `k` classes rank above the label; 1 if there are at most `k` classes.
// Of equal logits the lower class ranks above the higher. At least one image; `logits` and errors as above.
double top_k_accuracy(std::span<const float> logits, std::span<const int64_t> labels, int k = 5);

// Counts of images by class, [true class, predicted class].
class ConfusionMatrix {
  public:
    ConfusionMatrix(int classes, std::span<const Prediction> predictions);

    int classes() const { return classes_; }
    int64_t count(int label, int predicted) const;
    // The images whose true class is `label`.
    int64_t images(int label) const;
    // Fraction of them predicted correctly; empty if there are none.
    std::optional<double> accuracy(int label) const;

  private:
    int classes_;
    std::vector<int64_t> counts_;
};

// Expected calibration error: sum over bins of n_b / n * |accuracy_b - mean probability_b|, where the bins divide the
// probability of the predicted class into `bins` equal intervals ((b - 1) / bins, b / bins]. 0 means that a probability
// p is right in a fraction p of the cases; the largest value is 1. At least one prediction. Guo, Pleiss, Sun and
// Weinberger, "On Calibration of Modern Neural Networks" (2017), equations 2 and 3, with 15 bins as in their section 5.
double expected_calibration_error(std::span<const Prediction> predictions, int bins = 15);

}  // namespace residual
