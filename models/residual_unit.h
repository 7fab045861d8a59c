// Residual units of two 3x3 convolutions.
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

// Options shared by all units of a network.
struct UnitOptions {
    Shortcut shortcut;
    Padding padding;
    nn::BatchNormConfig batch_norm;
};

// Name and sizes of one unit.
struct UnitSpec {
    std::string name;  // Prefix of the names of its parameters: "stages.1.0".
    int in_channels, out_channels;
    int stride;
    bool identity_from_p = false;  // PreactUnit only: a shortcut without weights takes p instead of x.
};

class ResidualUnit {
  public:
    virtual ~ResidualUnit() = default;
    virtual nn::Activation forward(Context& context, const nn::Activation& x) const = 0;
};

// He et al. 2016 (Identity Mappings in Deep Residual Networks): p = relu(norm1(x)); r = conv1(p); q = relu(norm2(r));
// y = conv2(q) + shortcut(x). The shortcut takes p instead of x if it is a projection or if spec.identity_from_p is
// set (the first unit of a ResNet).
class PreactUnit final : public ResidualUnit {
  public:
    PreactUnit(nn::Parameters& parameters, const UnitSpec& spec, const UnitOptions& options);
    nn::Activation forward(Context& context, const nn::Activation& x) const override;

  private:
    nn::BatchNorm norm1_;
    nn::Conv2d conv1_;
    nn::BatchNorm norm2_;
    nn::Conv2d conv2_;
    std::optional<nn::Conv2d> projection_;
    UnitSpec spec_;
    Shortcut shortcut_;
};

// He et al. 2015 (Deep Residual Learning for Image Recognition), section 4.2: q = relu(norm1(conv1(x)));
// y = relu(norm2(conv2(q)) + shortcut(x)). A projection is a 1x1 convolution followed by batch norm (option B).
class PostactUnit final : public ResidualUnit {
  public:
    PostactUnit(nn::Parameters& parameters, const UnitSpec& spec, const UnitOptions& options);
    nn::Activation forward(Context& context, const nn::Activation& x) const override;

  private:
    Variable shortcut(Context& context, const Variable& x) const;

    nn::Conv2d conv1_;
    nn::BatchNorm norm1_;
    nn::Conv2d conv2_;
    nn::BatchNorm norm2_;
    std::optional<nn::Conv2d> projection_;
    std::optional<nn::BatchNorm> projection_batch_norm_;
    UnitSpec spec_;
    Shortcut shortcut_;
};

ops::Padding to_engine(Padding padding);

}  // namespace residual::models
