// Layers: the names of parameters, the update of running statistics, and which statistics batch norm uses.
#include "engine/nn/layers.h"

#include "tests/support/devices.h"
#include "tests/support/record.h"
#include "tests/support/reference_batch_norm.h"
#include "tests/support/reference_conv.h"
#include "tests/support/reference_dense.h"

using namespace residual;
using namespace test;

namespace {

// The first is the default.
const std::vector<nn::BatchNormConfig> kBatchNorms = {
    {}, {.epsilon = 0.25, .decay = 0.5}, {.epsilon = 1e-5, .decay = 0}};

std::vector<std::string> names(const nn::Parameters& parameters) {
    std::vector<std::string> all;
    for (const auto& parameter : parameters.parameters()) all.push_back(parameter->name);
    for (const auto& buffer : parameters.buffers()) all.push_back(buffer->name);
    return all;
}

Tensor set(Backend& backend, const Tensor& tensor, const Array& values) {
    backend.copy(upload(backend, values, DType::kFloat32), tensor);
    return tensor;
}

}  // namespace

DEVICE_TEST_CASE("batch norm updates its running statistics with its decay and the unbiased variance", "[nn]") {
    CHECK(nn::BatchNormConfig{}.decay == 0.99);
    const nn::BatchNormConfig config = GENERATE(from_range(kBatchNorms));
    INFO("decay " << config.decay);
    const double decay = static_cast<float>(config.decay);
    // The last shape has one row per channel, where the unbiased variance divides by 1.
    for (const Shape& shape : {Shape{4, 3, 5, 17}, Shape{3, 1, 1, 5}, Shape{1, 1, 1, 3}}) {
        INFO(shape.to_string());
        Random random(shape.to_string());
        const int64_t channels = shape[-1], rows = shape.elements() / channels;
        nn::Parameters parameters;
        const nn::BatchNorm batch_norm(parameters, "norm", static_cast<int>(channels), config);
        parameters.allocate(backend, DType::kFloat32, 0);
        Array mean({channels}), variance({channels}, std::vector<double>(channels, 1));

        for (int step = 0; step < 3; ++step) {
            const Array x = rounded(random.uniform(shape, -1, 4), DType::kFloat32);
            const ReferenceStats stats = stats_of(x);
            for (int64_t c = 0; c < channels; ++c) {
                const double unbiased = stats.variance.values[c] * rows / std::max<int64_t>(rows - 1, 1);
                mean.values[c] = decay * mean.values[c] + (1 - decay) * stats.mean.values[c];
                variance.values[c] = decay * variance.values[c] + (1 - decay) * unbiased;
            }
            Context context{backend, nullptr, true};
            const Variable input(upload(backend, x, DType::kFloat32), false);
            batch_norm.forward(context, {input, ops::batch_stats(context, input)}, true);
            CHECK(relative_error(download(backend, parameters.buffers()[0]->value), mean) <= 1e-5);
            CHECK(relative_error(download(backend, parameters.buffers()[1]->value), variance) <= 1e-5);
        }
    }
}

DEVICE_TEST_CASE("batch norm uses the statistics of the batch in training, the running ones in evaluation", "[nn]") {
    CHECK(nn::BatchNormConfig{}.epsilon == 1e-3);
    const nn::BatchNormConfig config = GENERATE(from_range(kBatchNorms));
    INFO("epsilon " << config.epsilon);
    const Shape shape{2, 3, 3, 5}, channels{5};
    Random random("which statistics");
    nn::Parameters parameters;
    const nn::BatchNorm batch_norm(parameters, "norm", 5, config);
    parameters.allocate(backend, DType::kFloat32, 0);
    const Array x = rounded(random.uniform(shape, -1, 4), DType::kFloat32);
    const Array residual = rounded(random.uniform(shape), DType::kFloat32);
    const ReferenceBatchNorm reference{rounded(random.uniform(channels, 0.5, 2), DType::kFloat32),
                                       rounded(random.uniform(channels), DType::kFloat32), config.epsilon, true};
    const ReferenceStats running{rounded(random.uniform(channels), DType::kFloat32),
                                 rounded(random.uniform(channels, 0.1, 2), DType::kFloat32)};
    set(backend, parameters.parameters()[0]->weight, reference.gamma);
    set(backend, parameters.parameters()[1]->weight, reference.beta);
    const Tensor mean = set(backend, parameters.buffers()[0]->value, running.mean);
    const Tensor variance = set(backend, parameters.buffers()[1]->value, running.variance);
    const auto constant = [&](const Array& array) { return Variable(upload(backend, array, DType::kFloat32), false); };

    Context evaluation{backend};
    const Variable evaluated = batch_norm.forward(evaluation, {constant(x), {}}, true, constant(residual));
    CHECK(relative_error(download(backend, evaluated.value()), reference.forward(x, running, &residual)) <= 1e-5);
    // Evaluation does not update the running statistics.
    CHECK(download(backend, mean).values == running.mean.values);
    CHECK(download(backend, variance).values == running.variance.values);

    Context training{backend, nullptr, true};
    const Variable input = constant(x);
    const Variable trained =
        batch_norm.forward(training, {input, ops::batch_stats(training, input)}, true, constant(residual));
    CHECK(relative_error(download(backend, trained.value()), reference.forward(x, stats_of(x), &residual)) <= 1e-5);
    CHECK(download(backend, mean).values != running.mean.values);

    // If the producer of x computed no moments, the layer does.
    const Variable without_stats = batch_norm.forward(training, {input, {}}, true, constant(residual));
    CHECK(download(backend, without_stats.value()).values == download(backend, trained.value()).values);
}

DEVICE_TEST_CASE("layers declare named parameters and use them", "[nn]") {
    nn::Parameters parameters;
    const nn::Conv2d conv(parameters, "stem", 3, 4, 3, 2, ops::Padding::kSame);
    const nn::BatchNorm batch_norm(parameters, "norm", 4);
    const nn::Linear head(parameters, "head", 4, 7);
    CHECK(names(parameters) == std::vector<std::string>{"stem.weight", "norm.weight", "norm.bias", "head.weight",
                                                        "head.bias", "norm.running_mean", "norm.running_var"});
    parameters.allocate(backend, DType::kFloat32, 0);
    const auto& all = parameters.parameters();
    CHECK(all[0]->shape == Shape{4, 3, 3, 3});
    CHECK(all[3]->shape == Shape{7, 4});

    Random random("layers");
    const Array x = rounded(random.uniform({2, 6, 5, 3}), DType::kFloat32);
    Context context{backend};
    const auto y = conv.forward(context, Variable(upload(backend, x, DType::kFloat32), false), {}).y;
    const Array w = download(backend, all[0]->weight);
    CHECK(relative_error(download(backend, y.value()), ReferenceConv{2, true}.forward(x, w)) <= 1e-5);

    const Array features = rounded(random.uniform({3, 4}), DType::kFloat32);
    const Array bias = rounded(random.uniform({7}), DType::kFloat32);
    set(backend, all[4]->weight, bias);
    const Variable logits = head.forward(context, Variable(upload(backend, features, DType::kFloat32), false));
    Array expected = product(features, transposed(download(backend, all[3]->weight)));
    for (size_t i = 0; i < expected.values.size(); ++i) expected.values[i] += bias.values[i % 7];
    CHECK(relative_error(download(backend, logits.value()), expected) <= 1e-5);
}
