#include "models/resnet.h"

#include "engine/ops/pool.h"

namespace models {

using engine::Variable;

namespace {

constexpr int kStageChannels[] = {16, 32, 64};

}  // namespace

ResNet::ResNet(engine::nn::Parameters& parameters, const ModelConfig& config, const engine::DataDescription& data)
    : block_(config.block),
      stem_(parameters, "stem", data.channels, kStageChannels[0], 3, 1, to_engine(config.padding)) {
    if (block_ == Block::postact) norm_.emplace(parameters, "norm", kStageChannels[0]);
    int channels = kStageChannels[0];
    for (int stage = 0; stage < 3; ++stage) {
        for (int unit = 0; unit < config.units_per_stage(); ++unit) {
            const std::string name = "stages." + std::to_string(stage) + "." + std::to_string(unit);
            const int stride = stage > 0 && unit == 0 ? 2 : 1;
            const bool first = stage == 0 && unit == 0;
            units_.push_back(make_unit(parameters, {name, channels, kStageChannels[stage], stride, first}, config));
            channels = kStageChannels[stage];
        }
    }
    if (block_ == Block::preact) norm_.emplace(parameters, "norm", channels);
    head_.emplace(parameters, "head", channels, data.classes());
}

Variable ResNet::forward(engine::Context& context, const Variable& images) const {
    const auto stem = stem_.forward(context, images, {.want_stats = context.training});
    engine::nn::Activation x{stem.y, stem.stats};
    if (block_ == Block::postact) x = {norm_->forward(context, x, true), {}};
    for (const auto& unit : units_) x = unit->forward(context, x);
    if (block_ == Block::preact) return head_->classify(context, x.value, norm_->prologue(context, x, true));
    return head_->forward(context, engine::ops::global_average_pool(context, x.value));
}

}  // namespace models
