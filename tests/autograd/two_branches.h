// A network that is not a ResNet, and a classification task for it.
#pragma once

#include <cmath>
#include <numbers>

#include "engine/nn/layers.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/pool.h"
#include "tests/support/array.h"

namespace test {

using residual::Context;
using residual::Variable;

// t = relu(batch_norm(stem(x))) has three consumers: a convolution whose weight is used twice, a convolution with
// stride 2, and a pool.
//
//     a = shared(relu(shared(t))),  b = relu(batch_norm(narrow(t))),  c = pool(t)
//     logits = head(mean(a)) + head_b(mean(b + c))
class TwoBranches final : public residual::nn::Module {
  public:
    static constexpr int kChannels = 8;
    static constexpr int kClasses = 4;

    explicit TwoBranches(residual::nn::Parameters& parameters)
        : stem_(parameters, "stem", 3, kChannels, 3, 1, residual::ops::Padding::kSame),
          stem_batch_norm_(parameters, "stem_norm", kChannels),
          shared_(parameters, "shared", kChannels, kChannels, 3, 1, residual::ops::Padding::kSymmetric),
          narrow_(parameters, "narrow", kChannels, 2 * kChannels, 3, 2, residual::ops::Padding::kSame),
          narrow_batch_norm_(parameters, "narrow_norm", 2 * kChannels),
          head_(parameters, "head", kChannels, kClasses),
          head_b_(parameters, "head_b", 2 * kChannels, kClasses) {}

    Variable forward(Context& context, const Variable& images) const override {
        namespace ops = residual::ops;
        const auto stem = stem_.forward(context, images, {.want_stats = context.training});
        const Variable t = stem_batch_norm_.forward(context, {stem.y, stem.stats}, true);

        const Variable once = ops::relu(context, shared_.forward(context, t, {}).y);
        const Variable a = shared_.forward(context, once, {}).y;
        const auto narrow = narrow_.forward(context, t, {.want_stats = context.training});
        const Variable b = narrow_batch_norm_.forward(context, {narrow.y, narrow.stats}, true);
        const Variable c = ops::shortcut(context, t, residual::ShortcutKind::kAveragePool, 2 * kChannels);

        const Variable from_a = head_.forward(context, ops::global_average_pool(context, a));
        const Variable from_b = head_b_.forward(context, ops::global_average_pool(context, ops::add(context, b, c)));
        return ops::add(context, from_a, from_b);
    }

  private:
    residual::nn::Conv2d stem_;
    residual::nn::BatchNorm stem_batch_norm_;
    residual::nn::Conv2d shared_, narrow_;
    residual::nn::BatchNorm narrow_batch_norm_;
    residual::nn::Linear head_, head_b_;
};

struct Gratings {
    Array images;
    std::vector<int32_t> labels;
};

// 8x8 images of a sine wave with random phase and noise. The class is the direction of the wave, one of four; the mean
// of a pixel does not depend on it.
inline Gratings draw_gratings(Random& random, int batch) {
    constexpr double kDirections[][2] = {{1, 0}, {0, 1}, {0.7, 0.7}, {0.7, -0.7}};
    Gratings gratings{Array({batch, 8, 8, 3}), {}};
    for (int n = 0; n < batch; ++n) {
        const int label = random.below(TwoBranches::kClasses);
        const double phase = random.uniform(0, 2 * std::numbers::pi);
        gratings.labels.push_back(label);
        for (int row = 0; row < 8; ++row)
            for (int column = 0; column < 8; ++column) {
                const double along = kDirections[label][0] * row + kDirections[label][1] * column;
                for (int c = 0; c < 3; ++c)
                    gratings.images.at(n, row, column, c) = std::sin(1.6 * along + phase) + random.uniform(-0.5, 0.5);
            }
    }
    return gratings;
}

}  // namespace test
