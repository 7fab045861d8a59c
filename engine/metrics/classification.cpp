#include "engine/metrics/classification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/core/error.h"

namespace residual {
namespace {

// Calls use(image, logits of the image) for each image.
template <class Use>
void for_each_image(std::span<const float> logits, std::span<const int64_t> labels, Use use) {
    if (labels.empty()) return;
    RESIDUAL_ASSERT(!logits.empty() && logits.size() % labels.size() == 0);
    const size_t classes = logits.size() / labels.size();
    for (size_t image = 0; image < labels.size(); ++image) {
        RESIDUAL_ASSERT(labels[image] >= 0 && labels[image] < static_cast<int64_t>(classes));
        const auto row = logits.subspan(image * classes, classes);
        const auto bad = std::ranges::find_if(row, [](float logit) { return !std::isfinite(logit); });
        if (bad != row.end()) {
            throw Error(fmt::format("image {}: the logit of class {} is {}; the network's output is unusable", image,
                                    bad - row.begin(), *bad));
        }
        use(image, row);
    }
}

// The softmax probability of the largest logit.
double largest_probability(std::span<const float> logits) {
    const double largest = *std::ranges::max_element(logits);
    double sum = 0;
    for (const float logit : logits) sum += std::exp(logit - largest);
    return 1 / sum;
}

}  // namespace

std::vector<Prediction> predictions_of(std::span<const float> logits, std::span<const int64_t> labels) {
    std::vector<Prediction> predictions;
    predictions.reserve(labels.size());
    for_each_image(logits, labels, [&](size_t image, std::span<const float> row) {
        predictions.push_back({labels[image], std::ranges::max_element(row) - row.begin(), largest_probability(row)});
    });
    return predictions;
}

double top_k_accuracy(std::span<const float> logits, std::span<const int64_t> labels, int k) {
    RESIDUAL_ASSERT(!labels.empty());
    int64_t correct = 0;
    for_each_image(logits, labels, [&](size_t image, std::span<const float> row) {
        const auto label = static_cast<size_t>(labels[image]);
        const auto above = std::ranges::count_if(row.first(label), [&](float logit) { return logit >= row[label]; }) +
                           std::ranges::count_if(row.subspan(label), [&](float logit) { return logit > row[label]; });
        if (above < k) ++correct;
    });
    return static_cast<double>(correct) / static_cast<double>(labels.size());
}

ConfusionMatrix::ConfusionMatrix(int classes, std::span<const Prediction> predictions)
    : classes_(classes), counts_(static_cast<size_t>(classes) * classes) {
    for (const Prediction& prediction : predictions) {
        ++counts_.at(static_cast<size_t>(prediction.label * classes + prediction.predicted));
    }
}

int64_t ConfusionMatrix::count(int label, int predicted) const {
    return counts_.at(static_cast<size_t>(label) * classes_ + predicted);
}

int64_t ConfusionMatrix::images(int label) const {
    const auto row = counts_.begin() + static_cast<ptrdiff_t>(label) * classes_;
    return std::accumulate(row, row + classes_, int64_t{0});
}

std::optional<double> ConfusionMatrix::accuracy(int label) const {
    const int64_t total = images(label);
    if (total == 0) return std::nullopt;
    return static_cast<double>(count(label, label)) / static_cast<double>(total);
}

double expected_calibration_error(std::span<const Prediction> predictions, int bins) {
    RESIDUAL_ASSERT(!predictions.empty() && bins > 0);
    std::vector<double> excess(bins);  // Sum of (correct - probability); n_b times the bin's difference.
    for (const Prediction& prediction : predictions) {
        const int bin = std::clamp(static_cast<int>(std::ceil(prediction.probability * bins)) - 1, 0, bins - 1);
        excess[bin] += (prediction.correct() ? 1.0 : 0.0) - prediction.probability;
    }
    double sum = 0;
    for (const double difference : excess) sum += std::abs(difference);
    return sum / static_cast<double>(predictions.size());
}

}  // namespace residual
