#include "models/resnet.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "engine/ops/pool.h"
#include "models/stages.h"

namespace residual::models {

namespace {

constexpr std::array<int, 3> kStageChannels = {16, 32, 64};
// The stem and the linear layer.
constexpr std::int64_t kOtherLayers = 2;

std::unique_ptr<ResidualUnit> make_unit(nn::Parameters& parameters, const UnitPlace& place, Block block,
                                        const UnitOptions& options) {
    if (block == Block::preact) return std::make_unique<PreactUnit>(parameters, place, options);
    return std::make_unique<PostactUnit>(parameters, place, options);
}

class ResNet final : public nn::Module {
  public:
    ResNet(nn::Parameters& parameters, const ResNetConfig& config, const DataDescription& data)
        : block_(config.block),
          stem_(parameters, "stem", data.channels, kStageChannels.front(), 3, 1, to_engine(config.padding)) {
        const auto batch_norm = [&](int channels) {
            batch_norm_.emplace(parameters, "norm", channels, config.batch_norm);
        };
        if (block_ == Block::postact) batch_norm(kStageChannels.front());
        auto places = places_of_units(kStageChannels.front(), kStageChannels, config.units_per_stage());
        places.front().identity_from_p = true;
        for (const UnitPlace& place : places) {
            units_.push_back(
                make_unit(parameters, place, block_, {config.shortcut, config.padding, config.batch_norm}));
        }
        if (block_ == Block::preact) batch_norm(kStageChannels.back());
        head_.emplace(parameters, "head", kStageChannels.back(), data.classes());
    }

    Variable forward(Context& context, const Variable& images) const override {
        const auto stem = stem_.forward(context, images, {.want_stats = context.training});
        nn::Activation x{stem.y, stem.stats};
        if (block_ == Block::postact) x = {batch_norm_->forward(context, x, true), {}};
        for (const auto& unit : units_) x = unit->forward(context, x);
        if (block_ == Block::preact) return head_->classify(context, x.value, batch_norm_->prologue(context, x, true));
        return head_->forward(context, ops::global_average_pool(context, x.value));
    }

  private:
    Block block_;
    nn::Conv2d stem_;
    std::optional<nn::BatchNorm> batch_norm_;
    std::vector<std::unique_ptr<ResidualUnit>> units_;
    std::optional<nn::Linear> head_;
};

}  // namespace

void ResNetConfig::describe(Fields& fields) {
    // Eight times the deepest network published. Each layer takes memory before the first image is seen, so that an
    // unbounded depth could exhaust it.
    constexpr std::int64_t kShallowest = 8, kDeepest = 9998;
    fields.get("depth", depth, between(kShallowest, kDeepest),
               "layers with weights: 6n + 2, n units in each of three stages of 16, 32 and 64 channels");
    fields.check("depth", is_depth(depth, kOtherLayers), refused_depth(depth, kOtherLayers));
    fields.get("block", block, "norm and ReLU before each convolution, or after it");
    fields.get("shortcut", shortcut, "how x reaches the sum where the size changes; none: no sum, a plain network");
    fields.get("padding", padding,
               "zeros of a strided convolution: same: as TensorFlow, 0 before and 1 after; symmetric: 1 and 1");
    fields.object("batch_norm", batch_norm, "every batch norm of the network");
}

std::string ResNetConfig::title() const {
    return fmt::format("{}-{} ({}, shortcut {})", shortcut == Shortcut::none ? "Plain" : "ResNet", depth,
                       name_of(block), name_of(shortcut));
}

std::unique_ptr<nn::Module> ResNetConfig::make(nn::Parameters& parameters, const DataDescription& data) const {
    return std::make_unique<ResNet>(parameters, *this, data);
}

}  // namespace residual::models
