// With more classes than the fused classifier supports, the classifier is composed and the rest of the network fused.
#include <cmath>

#include "tests/catch.h"
#include "tests/support/devices.h"
#include "tests/support/records.h"
#include "tests/support/relative_error.h"
#include "tests/support/session.h"

namespace {

struct Result {
    std::vector<double> weights;
    double cross_entropy;
};

// Two steps; the second is recorded if the device supports it.
Result train(const char* format, bool fused) {
    residual::tools::Experiment experiment;
    experiment.model = residual::models::ResNetConfig{.depth = 8};
    experiment.data.format = format;
    experiment.train.batch_size = 2;
    experiment.train.seed = 3;
    experiment.train.precision = residual::PrecisionChoice::bf16;
    experiment.schedule.boundaries = {};
    experiment.schedule.values = {0.01};
    residual::tools::Session session(experiment, residual::make_cuda_backend({.fused = fused}));
    residual::FusedOps* ops = session.backend->fused();
    REQUIRE((ops != nullptr) == fused);
    if (fused) {
        const residual::Shape head{session.data.classes(), 64};
        CHECK(ops->has_classifier({2, 8, 8, 64}, head, residual::DType::kBFloat16) == (session.data.classes() <= 32));
        CHECK(ops->has_stem({2, 32, 32, 3, 16, 3, 1, 1, 1, 1, 1}, residual::DType::kBFloat16));
    }
    auto records = test::numbered_records(4);
    const auto record_bytes = static_cast<size_t>(session.data.record_bytes());
    for (size_t i = 0; i < 4; ++i) records[i * record_bytes] = static_cast<uint8_t>(session.data.classes() - 1 - i);
    auto trainer = session.trainer(records, session.set_mean(std::vector<float>(record_bytes - 1, 120)));
    for (int step = 0; step < 2; ++step) trainer.update();
    return {test::download(*session.backend, session.parameters.weights()).values,
            trainer.take_averages().cross_entropy};
}

}  // namespace

TEST_CASE("a network with 100 classes trains fused except for the classifier", "[fused_step][gpu]") {
    if (test::skipped_without_gpu()) return;
    for (const char* format : {"cifar10", "cifar100"}) {
        INFO(format);
        const Result fused = train(format, true), composed = train(format, false);
        CHECK(std::abs(fused.cross_entropy - composed.cross_entropy) <= 0.02 * composed.cross_entropy);
        CHECK(test::relative_error(fused.weights, composed.weights) <= 1e-2);
    }
}
