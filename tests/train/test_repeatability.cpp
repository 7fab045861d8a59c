// The same seed gives the same bits; the number of threads changes only rounding.
#include <omp.h>

#include <cmath>
#include <random>

#include "engine/data/cifar10.h"
#include "tests/catch.h"
#include "tests/support/relative_error.h"
#include "tests/support/session.h"

namespace {

using test::relative_error;

constexpr int kRecords = 64;

std::vector<uint8_t> random_records() {
    std::vector<uint8_t> records(size_t{kRecords} * residual::Cifar10::kRecordBytes);
    std::mt19937 random(7);
    for (auto& byte : records) byte = static_cast<uint8_t>(random());
    for (size_t at = 0; at < records.size(); at += residual::Cifar10::kRecordBytes) records[at] %= 10;
    return records;
}

struct Result {
    std::vector<float> weights, momenta, running, logits;
};

// A ResNet-8 after `steps` updates with `threads` threads, evaluated on the same images.
Result train(int steps, int threads, uint64_t seed, residual::DType dtype) {
    omp_set_num_threads(threads);
    residual::tools::Session session({.model = residual::models::ResNetConfig{.depth = 8},
                                      .train = {.batch_size = 16,
                                                .seed = seed,
                                                .precision = test::precision_of(dtype),
                                                .device = residual::DeviceChoice::cpu},
                                      .schedule = {.boundaries = {}, .values = {0.01}}});
    const auto records = random_records();
    const auto mean = session.set_mean(std::vector<float>(32 * 32 * 3, 0));
    residual::Trainer trainer = session.trainer(records, mean);
    for (int step = 0; step < steps; ++step) trainer.update();

    Result result;
    const auto read = [&](const residual::Tensor& tensor, std::vector<float>& to) {
        const size_t filled = to.size();
        to.resize(filled + tensor.elements());
        session.backend->download(tensor, to.data() + filled);
    };
    read(session.parameters.weights(), result.weights);
    read(session.parameters.momenta(), result.momenta);
    for (const auto& buffer : session.parameters.buffers()) read(buffer->value, result.running);
    residual::Batches test = session.test_batches(records, mean);
    residual::evaluate(*session.backend, *session.model, test, &result.logits);
    return result;
}

}  // namespace

TEST_CASE("the same seed trains to the same bits") {
    for (const auto dtype : {residual::DType::kFloat32, residual::DType::kBFloat16}) {
        for (const int threads : {1, 2}) {
            INFO(name_of(dtype) << ", " << threads << " threads");
            const Result first = train(4, threads, 3, dtype);
            const Result second = train(4, threads, 3, dtype);
            CHECK(first.weights == second.weights);
            CHECK(first.momenta == second.momenta);
            CHECK(first.running == second.running);
            CHECK(first.logits == second.logits);
        }
    }
}

TEST_CASE("another seed trains to other weights") {
    CHECK(train(2, 1, 3, residual::DType::kFloat32).weights != train(2, 1, 4, residual::DType::kFloat32).weights);
}

TEST_CASE("one and two threads agree to rounding") {
    SECTION("in the logits of a new network") {
        const Result one = train(0, 1, 3, residual::DType::kFloat32);
        const Result two = train(0, 2, 3, residual::DType::kFloat32);
        CHECK(one.weights == two.weights);
        CHECK(relative_error(two.logits, one.logits) <= 1e-5);
    }
    SECTION("in the logits after updates") {
        const Result one = train(2, 1, 3, residual::DType::kFloat32);
        const Result two = train(2, 2, 3, residual::DType::kFloat32);
        CHECK(relative_error(two.logits, one.logits) <= 1e-5);
    }
}
