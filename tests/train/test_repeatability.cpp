// The same seed gives the same bits; the number of threads changes rounding alone.
#include <omp.h>

#include <cmath>
#include <random>

#include "engine/data/cifar10.h"
#include "engine/train/trainer.h"
#include "models/registry.h"
#include "tests/catch.h"
#include "tests/support/relative_error.h"

namespace {

using test::relative_error;

constexpr int kBatch = 16;
constexpr int kRecords = 64;

std::vector<uint8_t> random_records() {
    std::vector<uint8_t> records(size_t{kRecords} * kernels::kRecordBytes);
    std::mt19937 random(7);
    for (auto& byte : records) byte = static_cast<uint8_t>(random());
    for (size_t at = 0; at < records.size(); at += kernels::kRecordBytes) records[at] %= 10;
    return records;
}

struct Result {
    std::vector<float> weights, momenta, running, logits;
};

// A ResNet-8 after `steps` updates with `threads` threads, evaluated on the same pictures.
Result train(int steps, int threads, uint64_t seed, engine::DType dtype) {
    omp_set_num_threads(threads);
    const auto backend = engine::make_cpu_backend();
    engine::nn::Parameters parameters;
    const auto model = models::make_model(parameters, models::ResNetConfig{.depth = 8}, engine::cifar10_description());
    parameters.allocate(*backend, dtype, seed);
    const auto records = random_records();
    const auto mean = backend->zeros({32, 32, 3}, engine::DType::kFloat32);
    engine::Trainer trainer(*backend, *model, parameters,
                            engine::Batches::shuffled(*backend, records, mean, kBatch, dtype, {}, seed), {},
                            {.boundaries = {}, .values = {0.01}});
    for (int step = 0; step < steps; ++step) trainer.update();

    Result result;
    const auto read = [&](const engine::Tensor& tensor, std::vector<float>& to) {
        const size_t filled = to.size();
        to.resize(filled + tensor.elements());
        backend->download(tensor, to.data() + filled);
    };
    read(parameters.weights(), result.weights);
    read(parameters.momenta(), result.momenta);
    for (const auto& buffer : parameters.buffers()) read(buffer->value, result.running);
    auto test = engine::Batches::in_order(*backend, records, mean, kBatch, dtype);
    engine::evaluate(*backend, *model, test, &result.logits);
    return result;
}

}  // namespace

TEST_CASE("The same seed trains to the same bits") {
    for (const auto dtype : {engine::DType::kFloat32, engine::DType::kBFloat16}) {
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

TEST_CASE("Another seed trains to other weights") {
    CHECK(train(2, 1, 3, engine::DType::kFloat32).weights != train(2, 1, 4, engine::DType::kFloat32).weights);
}

TEST_CASE("One thread and two agree") {
    SECTION("in the logits of a network, to rounding") {
        const Result one = train(0, 1, 3, engine::DType::kFloat32);
        const Result two = train(0, 2, 3, engine::DType::kFloat32);
        CHECK(one.weights == two.weights);
        CHECK(relative_error(two.logits, one.logits) <= 1e-5);
    }
    SECTION("after updates as well") {
        const Result one = train(2, 1, 3, engine::DType::kFloat32);
        const Result two = train(2, 2, 3, engine::DType::kFloat32);
        CHECK(relative_error(two.logits, one.logits) <= 1e-5);
    }
}
