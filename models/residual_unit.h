// The two-convolution units that residual networks for CIFAR-10 are stacked from.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "engine/config/fields.h"
#include "engine/nn/layers.h"

namespace residual::models {

enum class Shortcut { avgpool_zeropad, subsample_zeropad, projection, none };
constexpr auto names_of(Shortcut) {
    return std::array<std::string_view, 4>{"avgpool_zeropad", "subsample_zeropad", "projection", "none"};
}

enum class Padding { same, symmetric };
constexpr auto names_of(Padding) {
    return std::array<std::string_view, 2>{"same", "symmetric"};
}

// What all units of a network have in common.
struct UnitOptions {
    Shortcut shortcut;
    Padding padding;
    nn::BatchNormConfig batch_norm;
};

// Where a unit stands: the names of its tensors and its sizes.
struct UnitPlace {
    std::string name;  // "stages.1.0"
    int in_channels, out_channels;
    int stride;
    bool identity_from_p = false;  // A pre-activation unit's shortcut without weights starts from p instead of x.
};

class ResidualUnit {
  public:
    virtual ~ResidualUnit() = default;
    virtual nn::Activation forward(Context& context, const nn::Activation& x) const = 0;
};

// He et al. 2016 (Identity Mappings in Deep Residual Networks): p = relu(norm1(x)); r = conv1(p); q = relu(norm2(r));
// y = conv2(q) + shortcut(x). A projection starts from p, and so does the identity in the network's first unit.
class PreactUnit final : public ResidualUnit {
  public:
    PreactUnit(nn::Parameters& parameters, const UnitPlace& place, const UnitOptions& options);
    nn::Activation forward(Context& context, const nn::Activation& x) const override;

  private:
    nn::BatchNorm norm1_;
    nn::Conv2d conv1_;
    nn::BatchNorm norm2_;
    nn::Conv2d conv2_;
    std::optional<nn::Conv2d> projection_;
    UnitPlace place_;
    Shortcut shortcut_;
};

// He et al. 2015 (Deep Residual Learning for Image Recognition), section 4.2: q = relu(norm1(conv1(x)));
// y = relu(norm2(conv2(q)) + shortcut(x)). A projection is a 1x1 convolution of x with a batch norm of its own (option
// B).
class PostactUnit final : public ResidualUnit {
  public:
    PostactUnit(nn::Parameters& parameters, const UnitPlace& place, const UnitOptions& options);
    nn::Activation forward(Context& context, const nn::Activation& x) const override;

  private:
    Variable shortcut(Context& context, const Variable& x) const;

    nn::Conv2d conv1_;
    nn::BatchNorm norm1_;
    nn::Conv2d conv2_;
    nn::BatchNorm norm2_;
    std::optional<nn::Conv2d> projection_;
    std::optional<nn::BatchNorm> projection_batch_norm_;
    UnitPlace place_;
    Shortcut shortcut_;
};

ops::Padding to_engine(Padding padding);

}  // namespace residual::models
