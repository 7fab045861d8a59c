#include "kernels/loss.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/catch.h"
#include "tests/kernels/devices.h"
#include "tests/kernels/values.h"

namespace {

struct LossCase {
    int batch, classes;
    double scale;  // of the logits: large ones overflow exp unless the maximum is subtracted
};

const LossCase kCases[] = {{1, 1, 1.0}, {1, 2, 1.0}, {5, 3, 1.0}, {128, 10, 3.0}, {300, 7, 1000.0}, {7, 100, 10.0}};

struct Outcome {
    float loss;
    std::vector<float> gradient;
    int32_t correct;
};

template <class Device>
Outcome run(int batch, int classes, const std::vector<float>& logits, const std::vector<int32_t>& labels) {
    typename Device::template Array<float> input(logits), loss(1), gradient(logits.size());
    typename Device::template Array<int32_t> truth(labels), correct(1);
    residual::kernels::softmax_cross_entropy(Device::exec(), batch, classes, input.data(), truth.data(), loss.data(),
                                             gradient.data(), correct.data(), nullptr);
    return {loss.read()[0], gradient.read(), correct.read()[0]};
}

template <class Device>
void loss_cases() {
    for (const LossCase& s : kCases) {
        CAPTURE(s.batch, s.classes, s.scale);
        const auto logits = uniform_values<float>(static_cast<size_t>(s.batch) * s.classes, 1, -s.scale, s.scale);
        std::vector<int32_t> labels(s.batch);
        double loss = 0.0;
        std::vector<double> gradient(logits.size());
        int correct = 0;
        for (int n = 0; n < s.batch; ++n) {
            labels[n] = n * 7 % s.classes;
            const float* row = logits.data() + static_cast<size_t>(n) * s.classes;
            const double largest = *std::max_element(row, row + s.classes);
            double sum = 0.0;
            for (int k = 0; k < s.classes; ++k) sum += std::exp(row[k] - largest);
            loss += (std::log(sum) + largest - row[labels[n]]) / s.batch;
            for (int k = 0; k < s.classes; ++k) {
                gradient[static_cast<size_t>(n) * s.classes + k] =
                    (std::exp(row[k] - largest) / sum - (k == labels[n] ? 1.0 : 0.0)) / s.batch;
            }
            correct += std::max_element(row, row + s.classes) - row == labels[n] ? 1 : 0;
        }
        const Outcome outcome = run<Device>(s.batch, s.classes, logits, labels);
        CHECK(std::abs(outcome.loss - loss) <= 1e-5 * std::abs(loss));
        check_close(outcome.gradient, gradient);
        CHECK(outcome.correct == correct);
    }
}

template <class Device>
void odd_rows() {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    // Of equal logits the first is the prediction.
    CHECK(run<Device>(2, 3, {1, 1, 0, 1, 1, 0}, {0, 1}).correct == 1);
    // A row with a NaN at any index is wrong, and the loss is NaN.
    for (int k = 0; k < 3; ++k) {
        std::vector<float> logits = {5, 1, 1, 5, 1, 1};
        logits[k] = nan;
        const Outcome outcome = run<Device>(2, 3, logits, {0, 0});
        CAPTURE(k);
        CHECK(outcome.correct == 1);
        CHECK(std::isnan(outcome.loss));
    }
    // Without gradient.
    typename Device::template Array<float> logits(std::vector<float>{0, 0}), loss(1);
    typename Device::template Array<int32_t> labels(std::vector<int32_t>{1}), correct(1);
    residual::kernels::softmax_cross_entropy(Device::exec(), 1, 2, logits.data(), labels.data(), loss.data(), nullptr,
                                             correct.data(), nullptr);
    CHECK(std::abs(loss.read()[0] - std::log(2.0)) < 1e-6);
    CHECK(correct.read()[0] == 0);
}

template <class Device>
void totals_cases() {
    const std::vector<residual::kernels::Metrics> start(1, {1.5, 7.0, 2, 10, 0});
    typename Device::template Array<residual::kernels::Metrics> totals(start);
    double cross_entropy = 1.5;
    int64_t right = 2, samples = 10;
    for (const int batch : {1, 8, 300}) {
        typename Device::template Array<float> logits(uniform_values<float>(batch * 3, batch)), loss(1);
        typename Device::template Array<int32_t> labels(std::vector<int32_t>(batch, 1)), correct(1);
        residual::kernels::softmax_cross_entropy(Device::exec(), batch, 3, logits.data(), labels.data(), loss.data(),
                                                 nullptr, correct.data(), totals.data());
        cross_entropy += static_cast<double>(loss.read()[0]) * batch;
        right += correct.read()[0];
        samples += batch;
        const residual::kernels::Metrics sum = totals.read()[0];
        CAPTURE(batch);
        CHECK(sum.cross_entropy == cross_entropy);
        CHECK(sum.weight_penalty == 7.0);
        CHECK(sum.correct == right);
        CHECK(sum.samples == samples);
    }
    CHECK(right > 2 + samples / 10);
}

}  // namespace

DEVICE_TEST_CASE("Softmax cross-entropy: loss, gradient, correct", "[kernels][loss]", loss_cases)
DEVICE_TEST_CASE("Softmax cross-entropy of equal logits, NaNs, and without a gradient", "[kernels][loss]", odd_rows)
DEVICE_TEST_CASE("Each batch is added to the totals", "[kernels][loss]", totals_cases)
