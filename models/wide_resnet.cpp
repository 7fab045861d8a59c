#include "models/wide_resnet.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "models/residual_unit.h"
#include "models/stages.h"

namespace residual::models {

namespace {

constexpr int kStemChannels = 16;
// The stem and one projection per stage, because the depth in the paper counts convolutions. With widening 1 the first
// stage has no projection, but is counted in the same way.
constexpr std::int64_t kOtherLayers = 4;

std::array<int, 3> stage_channels(const WideResNetConfig& config) {
    const int widening = static_cast<int>(config.widening);
    return {16 * widening, 32 * widening, 64 * widening};
}

class WideResNet final : public nn::Module {
  public:
    WideResNet(nn::Parameters& parameters, const WideResNetConfig& config, const DataDescription& data)
        : stem_(parameters, "stem", data.channels, kStemChannels, 3, 1, to_engine(Padding::symmetric)),
          units_(make_units(parameters, config)),
          batch_norm_(parameters, "norm", stage_channels(config).back(), config.batch_norm),
          head_(parameters, "head", stage_channels(config).back(), data.classes()) {}

    Variable forward(Context& context, const Variable& images) const override {
        const auto stem = stem_.forward(context, images, {.want_stats = context.training});
        nn::Activation x{stem.y, stem.stats};
        for (const auto& unit : units_) x = unit.forward(context, x);
        return head_.classify(context, x.value, batch_norm_.prologue(context, x, true));
    }

  private:
    static std::vector<PreactUnit> make_units(nn::Parameters& parameters, const WideResNetConfig& config) {
        std::vector<PreactUnit> units;
        for (const auto& spec : unit_specs(kStemChannels, stage_channels(config), config.units_per_stage())) {
            units.emplace_back(parameters, spec,
                               UnitOptions{Shortcut::projection, Padding::symmetric, config.batch_norm});
        }
        return units;
    }

    nn::Conv2d stem_;
    std::vector<PreactUnit> units_;
    nn::BatchNorm batch_norm_;
    nn::Linear head_;
};

}  // namespace

void WideResNetConfig::describe(Fields& fields) {
    // The largest depth is about eight times, the largest width more than twice that of the published networks.
    // Unbounded values could exhaust memory while the network is built.
    constexpr std::int64_t kShallowest = 10, kDeepest = 322, kWidest = 32;
    fields.get("depth", depth, between(kShallowest, kDeepest),
               "number of convolutions: 6n + 4 for three stages of n units, counting the stem and three projections");
    check_depth(fields, depth, kOtherLayers);
    fields.get("widening", widening, between(1, kWidest), "k; the stages have 16k, 32k and 64k channels");
    fields.object("batch_norm", batch_norm, "all batch norm layers");
}

std::string WideResNetConfig::title() const {
    return fmt::format("WRN-{}-{}", depth, widening);
}

std::unique_ptr<nn::Module> WideResNetConfig::make(nn::Parameters& parameters, const DataDescription& data) const {
    return std::make_unique<WideResNet>(parameters, *this, data);
}

}  // namespace residual::models
