// Layers: named parameters and the operation that uses them.
#pragma once

#include "engine/nn/batch_norm_config.h"
#include "engine/nn/parameters.h"
#include "engine/ops/batch_norm.h"
#include "engine/ops/conv.h"

namespace residual::nn {

// The output of a layer.
struct Activation {
    Variable value;
    ops::Moments stats;  // Moments of `value`, if the operation that produced it computed them.
};

// Convolution with a square kernel and without bias. Parameter: `<name>.weight` [out, kernel, kernel, in].
class Conv2d {
  public:
    Conv2d(Parameters& parameters, const std::string& name, int in_channels, int out_channels, int kernel, int stride,
           ops::Padding padding);

    // Uses the layer's stride and padding; those in `options` are ignored.
    ops::ConvResult forward(Context& context, const Variable& x, ops::ConvOptions options) const;

  private:
    std::shared_ptr<Parameter> weight_;
    int stride_;
    ops::Padding padding_;
};

// Batch norm. Parameters and buffers: `<name>.{weight,bias,running_mean,running_var}`, all [channels].
class BatchNorm {
  public:
    BatchNorm(Parameters& parameters, const std::string& name, int channels, const BatchNormConfig& config = {});

    // Describes the batch norm that ops::conv applies to x. In training it uses x.stats, or the moments of x if they
    // are undefined, and updates the running statistics; in evaluation it uses the running statistics.
    ops::BatchNorm prologue(Context& context, const Activation& x, bool relu) const;
    // Applies the batch norm of prologue().
    Variable forward(Context& context, const Activation& x, bool relu, const Variable& residual = {}) const;

  private:
    std::shared_ptr<Parameter> weight_, bias_;
    std::shared_ptr<Buffer> running_mean_, running_var_;
    float epsilon_, decay_;
};

// Fully connected layer. Parameters: `<name>.weight` [out, in], `<name>.bias` [out].
class Linear {
  public:
    Linear(Parameters& parameters, const std::string& name, int in_features, int out_features);
    Variable forward(Context& context, const Variable& x) const;
    // Logits of global_average_pool(batch_norm(x)), x [batch, height, width, in].
    Variable classify(Context& context, const Variable& x, const ops::BatchNorm& batch_norm) const;

  private:
    std::shared_ptr<Parameter> weight_, bias_;
};

// A network. Maps a batch of inputs, for example images [batch, height, width, channels], to logits [batch, classes]
// float32.
class Module {
  public:
    virtual ~Module() = default;
    virtual Variable forward(Context& context, const Variable& inputs) const = 0;
};

}  // namespace residual::nn
