#include "engine/backend/cpu/convolution.h"

namespace residual::onednn {

namespace {

using dnnl::memory;

constexpr auto kDirect = dnnl::algorithm::convolution_direct;

std::optional<dnnl::reorder::primitive_desc> reorder_between(const dnnl::engine& engine, const memory::desc& from,
                                                             const memory::desc& to) {
    if (from == to) return std::nullopt;
    return dnnl::reorder::primitive_desc(engine, from, engine, to, caller_scratchpad());
}

}  // namespace

Convolution::Convolution(Executor& executor, const Conv2dParams& p, DType dtype)
    : executor_(executor),
      weight_dims_{p.out_channels, p.in_channels, p.kernel, p.kernel},
      strides_{p.stride, p.stride},
      pad_before_{p.pad_top, p.pad_left},
      pad_after_{p.pad_bottom, p.pad_right} {
    const auto type = data_type(dtype);

    x_ = {{p.batch, p.in_channels, p.height, p.width}, type, memory::format_tag::nhwc};
    y_ = {{p.batch, p.out_channels, p.out_height(), p.out_width()}, type, memory::format_tag::nhwc};
    w_ = {weight_dims_, type, memory::format_tag::ohwi};
    dw_ = {weight_dims_, memory::data_type::f32, memory::format_tag::ohwi};
    any_weights_ = {weight_dims_, type, memory::format_tag::any};

    forward_description_ =
        describe<dnnl::convolution_forward>(executor_.engine(), dnnl::prop_kind::forward_training, kDirect, x_,
                                            any_weights_, y_, strides_, pad_before_, pad_after_);
    forward_ = {dnnl::convolution_forward(forward_description_), forward_description_.scratchpad_desc(),
                forward_description_.weights_desc(),
                reorder_between(executor_.engine(), w_, forward_description_.weights_desc())};
}

Convolution::Step Convolution::make_backward_data() const {
    const auto description = describe_backward<dnnl::convolution_backward_data>(
        executor_.engine(), forward_description_, kDirect, x_, any_weights_, y_, strides_, pad_before_, pad_after_);
    return {dnnl::convolution_backward_data(description), description.scratchpad_desc(), description.weights_desc(),
            reorder_between(executor_.engine(), w_, description.weights_desc())};
}

Convolution::Step Convolution::make_backward_weight() const {
    const memory::desc any_gradient(weight_dims_, memory::data_type::f32, memory::format_tag::any);
    const auto description = describe_backward<dnnl::convolution_backward_weights>(
        executor_.engine(), forward_description_, kDirect, x_, any_gradient, y_, strides_, pad_before_, pad_after_);
    return {dnnl::convolution_backward_weights(description), description.scratchpad_desc(),
            description.diff_weights_desc(), reorder_between(executor_.engine(), description.diff_weights_desc(), dw_)};
}

void Convolution::reorder(const dnnl::reorder::primitive_desc& description, const memory& from, const memory& to) {
    executor_.run(dnnl::reorder(description), description.scratchpad_desc(),
                  {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

memory Convolution::weights_for(const Step& step, const Tensor& w, Tensor& buffer) {
    if (!step.reorder) return executor_.wrap(w_, w);
    buffer = executor_.bytes(step.weights.get_size());
    const memory weights = executor_.wrap(step.weights, buffer);
    reorder(*step.reorder, executor_.wrap(w_, w), weights);
    return weights;
}

void Convolution::forward(const Tensor& x, const Tensor& w, const Tensor& y) {
    Tensor buffer;
    executor_.run(forward_.primitive, forward_.scratchpad,
                  {{DNNL_ARG_SRC, executor_.wrap(x_, x)},
                   {DNNL_ARG_WEIGHTS, weights_for(forward_, w, buffer)},
                   {DNNL_ARG_DST, executor_.wrap(y_, y)}});
}

void Convolution::backward_data(const Tensor& dy, const Tensor& w, const Tensor& dx) {
    if (!backward_data_) backward_data_ = make_backward_data();
    Tensor buffer;
    executor_.run(backward_data_->primitive, backward_data_->scratchpad,
                  {{DNNL_ARG_DIFF_DST, executor_.wrap(y_, dy)},
                   {DNNL_ARG_WEIGHTS, weights_for(*backward_data_, w, buffer)},
                   {DNNL_ARG_DIFF_SRC, executor_.wrap(x_, dx)}});
}

void Convolution::backward_weight(const Tensor& x, const Tensor& dy, const Tensor& dw) {
    if (!backward_weight_) backward_weight_ = make_backward_weight();
    const Step& step = *backward_weight_;
    Tensor buffer = dw;
    if (step.reorder) buffer = executor_.bytes(step.weights.get_size());
    const memory gradient = executor_.wrap(step.weights, buffer);
    executor_.run(step.primitive, step.scratchpad,
                  {{DNNL_ARG_SRC, executor_.wrap(x_, x)},
                   {DNNL_ARG_DIFF_DST, executor_.wrap(y_, dy)},
                   {DNNL_ARG_DIFF_WEIGHTS, gradient}});
    if (step.reorder) reorder(*step.reorder, gradient, executor_.wrap(dw_, dw));
}

}  // namespace residual::onednn
