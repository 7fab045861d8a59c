// The first and the last operation of a training step: the batch, and the update of all parameters.
#include <random>

#include "kernels/augment_body.h"
#include "tools/bench/kernel_bench/cases.h"

namespace residual::bench {

namespace {

// The record, crop and flip of an image come from the kernels' own random words, which tests/kernels checks; only the
// pixels are computed independently.
Values augmented(const kernels::AugmentShape& shape, int64_t step, const std::vector<uint8_t>& records,
                 const Values& mean) {
    const int height = shape.height, width = shape.width, channels = shape.channels;
    Values images(static_cast<size_t>(shape.batch) * static_cast<size_t>(shape.elements()));
    for (int i = 0; i < shape.batch; ++i) {
        const auto how = kernels::augmentation(shape, step, i);
        const uint8_t* record = &records[how.sample * shape.record_bytes()];
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x) {
                const int row = y + how.top - shape.pad;
                const int column = (how.flipped ? width - 1 - x : x) + how.left - shape.pad;
                if (row < 0 || row >= height || column < 0 || column >= width) continue;
                for (int c = 0; c < channels; ++c) {
                    images[((static_cast<size_t>(i) * height + y) * width + x) * channels + c] =
                        record[1 + (c * height + row) * width + column] - mean[(row * width + column) * channels + c];
                }
            }
    }
    return images;
}

}  // namespace

Trial gather_augment(Operands& o, const Layer& layer) {
    const kernels::AugmentShape shape{.batch = o.batch(),
                                      .samples = 4 * o.batch(),
                                      .height = layer.height,
                                      .width = layer.width,
                                      .channels = layer.channels,
                                      .pad = 4,
                                      .flip = true,
                                      .shuffle = true,
                                      .seed = 1};
    constexpr int64_t kStep = 3;
    std::mt19937 random(1);
    std::vector<uint8_t> records(static_cast<size_t>(shape.samples * shape.record_bytes()));
    for (uint8_t& byte : records) byte = static_cast<uint8_t>(random());
    for (size_t at = 0; at < records.size(); at += shape.record_bytes()) records[at] %= 7;

    Backend& backend = o.backend();
    const Tensor records_tensor = backend.from_host(records.data(), {static_cast<int64_t>(records.size())});
    const Operand mean = o.parameter(layer.image(), 100, 150);
    const Tensor step = backend.from_host(&kStep, {1});
    const Tensor images = o.activation_result(layer.image());
    const Tensor labels = o.result({o.batch()}, DType::kInt32);
    const auto expected_labels = [shape, records] {
        Values values(static_cast<size_t>(shape.batch));
        for (int i = 0; i < shape.batch; ++i) {
            values[i] = records[kernels::augmentation(shape, kStep, i).sample * shape.record_bytes()];
        }
        return values;
    };
    return {[&backend, shape, records_tensor, mean, step, images, labels] {
                backend.gather_augment(shape, records_tensor, mean.tensor, step, images, labels);
            },
            {{"images", images, [shape, records, mean] { return augmented(shape, kStep, records, *mean.values); }},
             {"labels", labels, expected_labels}},
            static_cast<double>(o.batch() * shape.record_bytes()) + bytes_of({images, labels, mean.tensor})};
}

// `totals` is a kernels::Metrics read as numbers of eight bytes; the second is the penalty of the weights.
Trial sgd(Operands& o, const Layer& layer) {
    constexpr float kMomentum = 0.9f, kDecay = 2e-4f;
    constexpr int64_t kBoundaries[] = {500, 32000, 48000};
    constexpr float kRates[] = {0.01f, 0.1f, 0.01f, 0.001f};
    constexpr int64_t kStep = 1000;
    constexpr double kRate = 0.1f;
    constexpr int kBatch = 128;

    Backend& backend = o.backend();
    const ParameterCount count = parameter_count(layer.depth);
    const SgdParams params{backend.from_host(kBoundaries, {3}),
                           backend.from_host(kRates, {4}),
                           backend.from_host(&kStep, {1}),
                           count.decayed,
                           kMomentum,
                           kDecay};
    const auto array = [&] { return o.parameter({count.all}, -1, 1); };
    const Operand weight = array(), velocity = array(), gradient = array();
    const Tensor copy = o.activations() == DType::kBFloat16 ? o.result({count.all}, DType::kBFloat16) : Tensor();
    const Tensor totals = backend.zeros({sizeof(kernels::Metrics) / sizeof(double)}, DType::kFloat64);

    const auto new_velocity = once([count, weight, velocity, gradient] {
        Values values = *velocity.values;
        for (size_t i = 0; i < values.size(); ++i) {
            const double decay = static_cast<int64_t>(i) < count.decayed ? kDecay : 0.0f;
            values[i] = kMomentum * values[i] + (*gradient.values)[i] + decay * (*weight.values)[i];
        }
        return values;
    });
    const auto new_weight = [weight, new_velocity] {
        Values values = *weight.values;
        for (size_t i = 0; i < values.size(); ++i) values[i] -= kRate * new_velocity()[i];
        return values;
    };
    const auto penalty = [count, weight] {
        double squares = 0;
        for (int64_t i = 0; i < count.decayed; ++i) squares += (*weight.values)[i] * (*weight.values)[i];
        return Values{0.5 * kDecay * squares * kBatch};
    };
    Trial trial{[&backend, params, gradient, velocity, weight, copy, totals] {
                    backend.sgd_momentum(params, gradient.tensor, velocity.tensor, weight.tensor, copy, kBatch, totals);
                },
                {{"velocity", velocity.tensor, new_velocity},
                 {"weight", weight.tensor, new_weight},
                 {"penalty", totals.view(1, {1}), penalty}},
                bytes_of({gradient.tensor}) + 2 * bytes_of({velocity.tensor, weight.tensor})};
    if (copy.defined()) {
        trial.bytes += bytes_of({copy});
        trial.outputs.push_back({"copy", copy, new_weight});
    }
    return trial;
}

}  // namespace residual::bench
