#include "engine/nn/layers.h"

#include "engine/ops/classifier.h"
#include "engine/ops/linear.h"

namespace residual::nn {

Conv2d::Conv2d(Parameters& parameters, const std::string& name, int in_channels, int out_channels, int kernel,
               int stride, ops::Padding padding)
    : weight_(parameters.add(name + ".weight", {out_channels, kernel, kernel, in_channels}, Role::kConvWeight,
                             Init::kXavierUniform)),
      stride_(stride),
      padding_(padding) {}

ops::ConvResult Conv2d::forward(Context& context, const Variable& x, ops::ConvOptions options) const {
    options.stride = stride_;
    options.padding = padding_;
    return ops::conv(context, x, weight_->variable, options);
}

BatchNorm::BatchNorm(Parameters& parameters, const std::string& name, int channels, const BatchNormConfig& config)
    : weight_(parameters.add(name + ".weight", {channels}, Role::kVector, Init::kOnes)),
      bias_(parameters.add(name + ".bias", {channels}, Role::kVector, Init::kZeros)),
      running_mean_(parameters.add_buffer(name + ".running_mean", {channels}, Init::kZeros)),
      running_var_(parameters.add_buffer(name + ".running_var", {channels}, Init::kOnes)),
      epsilon_(static_cast<float>(config.epsilon)),
      decay_(static_cast<float>(config.decay)) {}

ops::BatchNorm BatchNorm::prologue(Context& context, const Activation& x, bool relu) const {
    ops::BatchNorm batch_norm{.gamma = weight_->variable, .beta = bias_->variable, .epsilon = epsilon_, .relu = relu};
    const ops::Moments running{running_mean_->variable, running_var_->variable};
    if (context.training) {
        batch_norm.moments = x.stats;
        batch_norm.running = running;
        batch_norm.decay = decay_;
    } else {
        batch_norm.moments = running;
    }
    return batch_norm;
}

Variable BatchNorm::forward(Context& context, const Activation& x, bool relu, const Variable& residual) const {
    return ops::batch_norm(context, x.value, prologue(context, x, relu), residual);
}

Linear::Linear(Parameters& parameters, const std::string& name, int in_features, int out_features)
    : weight_(parameters.add(name + ".weight", {out_features, in_features}, Role::kLinearWeight, Init::kXavierUniform)),
      bias_(parameters.add(name + ".bias", {out_features}, Role::kVector, Init::kZeros)) {}

Variable Linear::forward(Context& context, const Variable& x) const {
    return ops::linear(context, x, weight_->variable, bias_->variable);
}

Variable Linear::classify(Context& context, const Variable& x, const ops::BatchNorm& batch_norm) const {
    return ops::classifier(context, x, batch_norm, weight_->variable, bias_->variable);
}

}  // namespace residual::nn
