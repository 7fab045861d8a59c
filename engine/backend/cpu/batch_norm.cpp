#include "engine/backend/cpu/batch_norm.h"

namespace engine::onednn {

namespace {

using dnnl::memory;
using dnnl::normalization_flags;

// The rows of an NHWC tensor as one picture of one column.
memory::desc data_layout(const Tensor& x) {
    const int64_t channels = x.shape()[-1];
    return {{1, channels, x.elements() / channels, 1}, memory::data_type::f32, memory::format_tag::nhwc};
}

memory::desc channel_layout(const Tensor& x) {
    return {{x.shape()[-1]}, memory::data_type::f32, memory::format_tag::a};
}

normalization_flags flags_of(const NormParams& p) {
    const auto affine = normalization_flags::use_scale | normalization_flags::use_shift;
    return p.relu ? affine | normalization_flags::fuse_norm_relu : affine;
}

Arguments arguments_of(Executor& executor, const NormParams& p, const Tensor& x) {
    const memory::desc channels = channel_layout(x);
    return {{DNNL_ARG_SRC, executor.wrap(data_layout(x), x)},
            {DNNL_ARG_MEAN, executor.wrap(channels, p.stats.mean)},
            {DNNL_ARG_VARIANCE, executor.wrap(channels, p.stats.variance)},
            {DNNL_ARG_SCALE, executor.wrap(channels, p.gamma)},
            {DNNL_ARG_SHIFT, executor.wrap(channels, p.beta)}};
}

}  // namespace

void norm(Executor& executor, const NormParams& p, const Tensor& x, const Tensor& y) {
    const auto description = describe_norm(executor.engine(), dnnl::prop_kind::forward_inference, data_layout(x),
                                           p.epsilon, flags_of(p) | normalization_flags::use_global_stats);
    Arguments arguments = arguments_of(executor, p, x);
    arguments.emplace(DNNL_ARG_DST, executor.wrap(data_layout(y), y));
    executor.run(dnnl::batch_normalization_forward(description), description.scratchpad_desc(), std::move(arguments));
}

void norm_backward(Executor& executor, const NormParams& p, const Tensor& x, const Tensor& dy, const Tensor& dx,
                   const Tensor& dgamma, const Tensor& dbeta) {
    const memory::desc data = data_layout(x);
    // The mask of the ReLU is oneDNN's own, in a workspace that a forward pass in training writes. Its statistics are
    // made again, into places of their own, because backward wants to know a forward pass that made them.
    const auto forward =
        describe_norm(executor.engine(), dnnl::prop_kind::forward_training, data, p.epsilon, flags_of(p));
    const auto description = describe_norm_backward(executor.engine(), forward, data, p.epsilon, flags_of(p));
    const Tensor workspace = executor.bytes(forward.workspace_desc().get_size());
    Arguments arguments = arguments_of(executor, p, x);
    if (p.relu) {
        arguments.emplace(DNNL_ARG_WORKSPACE, executor.wrap(forward.workspace_desc(), workspace));
        const Tensor y = executor.bytes(x.bytes()), mean = executor.bytes(p.stats.mean.bytes()),
                     variance = executor.bytes(p.stats.variance.bytes());
        Arguments again = arguments;
        again[DNNL_ARG_DST] = executor.wrap(data, y);
        again[DNNL_ARG_MEAN] = executor.wrap(channel_layout(x), mean);
        again[DNNL_ARG_VARIANCE] = executor.wrap(channel_layout(x), variance);
        executor.run(dnnl::batch_normalization_forward(forward), forward.scratchpad_desc(), std::move(again));
    }
    if (!kNormBackwardTakesShift) arguments.erase(DNNL_ARG_SHIFT);
    arguments.emplace(DNNL_ARG_DIFF_DST, executor.wrap(data, dy));
    arguments.emplace(DNNL_ARG_DIFF_SRC, executor.wrap(data, dx));
    arguments.emplace(DNNL_ARG_DIFF_SCALE, executor.wrap(channel_layout(x), dgamma));
    arguments.emplace(DNNL_ARG_DIFF_SHIFT, executor.wrap(channel_layout(x), dbeta));
    executor.run(dnnl::batch_normalization_backward(description), description.scratchpad_desc(), std::move(arguments));
}

}  // namespace engine::onednn
