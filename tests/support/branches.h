// A network that no configuration describes: every operation that a network can have in evaluation, odd image sizes,
// three branches of one input, and a weight that two layers share.
#pragma once

#include <string>

#include "engine/nn/layers.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/pool.h"
#include "tests/support/array.h"

namespace test {

class Branches final : public residual::nn::Module {
  public:
    static inline const residual::Shape kImage{7, 7, 3};
    static constexpr int kClasses = 5;

    explicit Branches(residual::nn::Parameters& parameters)
        : stem_(parameters, "stem", 3, 4, 3, 1, residual::ops::Padding::kSame),
          norm_(parameters, "norm", 4),
          same_(parameters, "block.same", 4, 8, 3, 2, residual::ops::Padding::kSame),
          wide_(parameters, "block.wide", 4, 8, 5, 2, residual::ops::Padding::kSymmetric),
          point_(parameters, "block.point", 4, 8, 1, 2, residual::ops::Padding::kSame),
          block_norm_(parameters, "block.norm", 8),
          unit_norm_(parameters, "unit.norm", 8),
          unit_conv_(parameters, "unit.conv", 8, 8, 3, 2, residual::ops::Padding::kSame),
          head_(parameters, "head", 8, kClasses) {}

    residual::Variable forward(residual::Context& context, const residual::Variable& images) const override {
        using namespace residual;
        const Variable x = norm_.forward(context, {stem_.forward(context, images, {}).y, {}}, true);

        // Three convolutions of x, added. The first result has another reader, so that its batch norm cannot be folded.
        const Variable first = same_.forward(context, x, {}).y;
        const Variable point = point_.forward(context, x, {}).y;
        const Variable second = wide_.forward(context, x, {.residual = point}).y;
        const Variable sum = ops::add(context, first, second);
        // The same weight on another input, and the shortcut that rounds odd sizes up.
        const Variable shared = same_.forward(context, ops::relu(context, x), {}).y;
        const Variable subsampled = ops::shortcut(context, x, ShortcutKind::kSubsample, 8);
        const Variable normalised = block_norm_.forward(context, {shared, {}}, true, subsampled);
        const Variable normalised_first = block_norm_.forward(context, {first, {}}, false);
        const Variable y = ops::add(context, ops::add(context, sum, normalised), normalised_first);

        // A BN-ReLU-conv block whose normalised input has another reader.
        const auto prologue = unit_norm_.prologue(context, {y, {}}, true);
        const auto unit = unit_conv_.forward(context, y, {.batch_norm = &prologue, .want_p = true});
        const Variable unit_average = ops::global_average_pool(context, unit.y);
        const Variable p_average = ops::global_average_pool(context, unit.p);
        const Variable averages = ops::add(context, unit_average, p_average);
        // The shortcut that rounds odd sizes down.
        const Variable pooled = ops::shortcut(context, x, ShortcutKind::kAveragePool, 8);
        const Variable all = ops::add(context, averages, ops::global_average_pool(context, pooled));
        return head_.forward(context, all);
    }

  private:
    residual::nn::Conv2d stem_;
    residual::nn::BatchNorm norm_;
    residual::nn::Conv2d same_, wide_, point_;
    residual::nn::BatchNorm block_norm_, unit_norm_;
    residual::nn::Conv2d unit_conv_;
    residual::nn::Linear head_;
};

// Gives every parameter and running statistic random values; variances between 0.5 and 2.
inline void randomise(residual::Backend& backend, residual::nn::Parameters& parameters) {
    const auto fill = [&](const std::string& name, const Tensor& tensor, double low, double high) {
        const Array array = Random(name).uniform(tensor.shape(), low, high);
        const std::vector<float> values(array.values.begin(), array.values.end());
        backend.upload(values.data(), tensor);
    };
    for (const auto& parameter : parameters.parameters()) fill(parameter->name, parameter->weight, -1, 1);
    for (const auto& buffer : parameters.buffers()) {
        const bool variance = buffer->name.ends_with("running_var");
        fill(buffer->name, buffer->value, variance ? 0.5 : -1, variance ? 2 : 1);
    }
    parameters.refresh_copies(backend);
}

}  // namespace test
