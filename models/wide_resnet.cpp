#include "models/wide_resnet.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "models/residual_unit.h"
#include "models/stages.h"

namespace models {

using engine::Variable;

namespace {

constexpr int kStemChannels = 16;
// The stem and three projections: the paper counts convolutions.
constexpr std::int64_t kOtherLayers = 4;

std::array<int, 3> stage_channels(const WideResNetConfig& config) {
    const int widening = static_cast<int>(config.widening);
    return {16 * widening, 32 * widening, 64 * widening};
}

class WideResNet final : public engine::nn::Module {
  public:
    WideResNet(engine::nn::Parameters& parameters, const WideResNetConfig& config, const engine::DataDescription& data)
        : stem_(parameters, "stem", data.channels, kStemChannels, 3, 1, to_engine(Padding::symmetric)),
          units_(make_units(parameters, config)),
          norm_(parameters, "norm", stage_channels(config).back(), config.batch_norm),
          head_(parameters, "head", stage_channels(config).back(), data.classes()) {}

    Variable forward(engine::Context& context, const Variable& images) const override {
        const auto stem = stem_.forward(context, images, {.want_stats = context.training});
        engine::nn::Activation x{stem.y, stem.stats};
        for (const auto& unit : units_) x = unit.forward(context, x);
        return head_.classify(context, x.value, norm_.prologue(context, x, true));
    }

  private:
    static std::vector<PreactUnit> make_units(engine::nn::Parameters& parameters, const WideResNetConfig& config) {
        std::vector<PreactUnit> units;
        for (const auto& place : places_of_units(kStemChannels, stage_channels(config), config.units_per_stage())) {
            units.emplace_back(parameters, place,
                               UnitOptions{Shortcut::projection, Padding::symmetric, config.batch_norm});
        }
        return units;
    }

    engine::nn::Conv2d stem_;
    std::vector<PreactUnit> units_;
    engine::nn::BatchNorm norm_;
    engine::nn::Linear head_;
};

}  // namespace

void WideResNetConfig::describe(engine::Fields& fields) {
    // Eight times the deepest and more than twice the widest network published: what an unbounded number announces
    // could exhaust the memory.
    constexpr std::int64_t kShallowest = 10, kDeepest = 322, kWidest = 32;
    fields.get("depth", depth, engine::between(kShallowest, kDeepest),
               "convolutions: 6n + 4, n units in each of three stages, with a projection in each");
    fields.check("depth", is_depth(depth, kOtherLayers), refused_depth(depth, kOtherLayers));
    fields.get("widening", widening, engine::between(1, kWidest), "k: the stages have 16k, 32k and 64k channels");
    fields.object("batch_norm", batch_norm, "every batch norm of the network");
}

std::string WideResNetConfig::title() const {
    return fmt::format("WRN-{}-{}", depth, widening);
}

std::unique_ptr<engine::nn::Module> WideResNetConfig::make(engine::nn::Parameters& parameters,
                                                           const engine::DataDescription& data) const {
    return std::make_unique<WideResNet>(parameters, *this, data);
}

}  // namespace models
