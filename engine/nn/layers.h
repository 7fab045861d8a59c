// Layers: parameters with names, and the operation that uses them.
#pragma once

#include "engine/nn/batch_norm_config.h"
#include "engine/nn/parameters.h"
#include "engine/ops/batch_norm.h"
#include "engine/ops/conv.h"

namespace residual::nn {

// A tensor on its way through a network, with its moments where the operation that made it computed them.
struct Activation {
    Variable value;
    ops::Moments stats;
};

// Square convolution without bias: `<name>.weight`.
class Conv2d {
  public:
    Conv2d(Parameters& parameters, const std::string& name, int in_channels, int out_channels, int kernel, int stride,
           ops::Padding padding);

    struct Options {
        const ops::BatchNorm* batch_norm = nullptr;  // See ops::ConvOptions.
        Variable residual = {};
        std::optional<ShortcutKind> shortcut = {};
        bool want_stats = false;
        bool want_p = false;
    };
    ops::ConvResult forward(Context& context, const Variable& x, const Options& options) const;

  private:
    std::shared_ptr<Parameter> weight_;
    int stride_;
    ops::Padding padding_;
};

// Batch norm: `<name>.{weight,bias,running_mean,running_var}`.
class BatchNorm {
  public:
    BatchNorm(Parameters& parameters, const std::string& name, int channels, const BatchNormConfig& config = {});

    // How to normalise x: in training by x.stats, which the running statistics follow, else by the latter.
    ops::BatchNorm prologue(Context& context, const Activation& x, bool relu) const;
    // The same done; in training it computes the moments where x has none.
    Variable forward(Context& context, const Activation& x, bool relu, const Variable& residual = {}) const;

  private:
    std::shared_ptr<Parameter> weight_, bias_;
    std::shared_ptr<Buffer> running_mean_, running_var_;
    float epsilon_, decay_;
};

// Fully connected: `<name>.weight` [out, in], `<name>.bias`.
class Linear {
  public:
    Linear(Parameters& parameters, const std::string& name, int in_features, int out_features);
    Variable forward(Context& context, const Variable& x) const;
    // Of the global average of batch_norm(x), x [batch, height, width, in].
    Variable classify(Context& context, const Variable& x, const ops::BatchNorm& batch_norm) const;

  private:
    std::shared_ptr<Parameter> weight_, bias_;
};

// A network: images [batch, height, width, channels] -> logits [batch, classes] float32.
class Module {
  public:
    virtual ~Module() = default;
    virtual Variable forward(Context& context, const Variable& images) const = 0;
};

}  // namespace residual::nn
