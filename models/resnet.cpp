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

class ResNet final : public nn::Module {
  public:
    ResNet(nn::Parameters& parameters, const ResNetConfig& config, const DataDescription& data)
        : block_(config.block),
          stem_(parameters, "stem", data.channels, kStageChannels.front(), 3, 1, to_engine(config.padding)) {
        const auto add_batch_norm = [&](int channels) {
            batch_norm_.emplace(parameters, "norm", channels, config.batch_norm);
        };
        const UnitOptions options{config.shortcut, config.padding, config.batch_norm};
        if (block_ == Block::postact) add_batch_norm(kStageChannels.front());
        auto specs = unit_specs(kStageChannels.front(), kStageChannels, config.units_per_stage());
        specs.front().identity_from_p = true;
        for (const UnitSpec& spec : specs) {
            if (block_ == Block::preact) units_.push_back(std::make_unique<PreactUnit>(parameters, spec, options));
            if (block_ == Block::postact) units_.push_back(std::make_unique<PostactUnit>(parameters, spec, options));
        }
        if (block_ == Block::preact) add_batch_norm(kStageChannels.back());
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
    // The largest depth is about eight times that of the deepest published network. An unbounded depth could exhaust
    // memory while the network is built.
    constexpr std::int64_t kShallowest = 8, kDeepest = 9998;
    fields.get("depth", depth, between(kShallowest, kDeepest),
               "number of layers with weights: 6n + 2 for three stages of n units with 16, 32 and 64 channels");
    check_depth(fields, depth, kOtherLayers);
    fields.get("block", block, "preact: batch norm and ReLU before each convolution; postact: after it");
    fields.get(
        "shortcut", shortcut,
        "shortcut of the units that change height, width and channels (the others use the identity); none: a plain "
        "network");
    fields.get(
        "padding", padding,
        "zero padding of 3x3 convolutions with stride 2 and an even input size; same: no row or column before and "
        "one after, as in TensorFlow; symmetric: one before and one after");
    fields.object("batch_norm", batch_norm, "all batch norm layers");
}

std::string ResNetConfig::title() const {
    return fmt::format("{}-{} ({}, shortcut {})", shortcut == Shortcut::none ? "Plain" : "ResNet", depth,
                       name_of(block), name_of(shortcut));
}

std::unique_ptr<nn::Module> ResNetConfig::make(nn::Parameters& parameters, const DataDescription& data) const {
    return std::make_unique<ResNet>(parameters, *this, data);
}

}  // namespace residual::models
