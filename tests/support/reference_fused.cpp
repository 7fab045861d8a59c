#include "tests/support/reference_fused.h"

#include "kernels/batch_norm_body.h"
#include "tools/reference/batch_norm.h"
#include "tools/reference/convolution.h"

namespace test {

using residual::BatchNormGradients;
using residual::BatchNormParams;
using residual::BatchStats;
using residual::Conv2dParams;
using residual::DType;
using residual::MomentsGradient;
using residual::Shape;
using residual::Tensor;

namespace {

using residual::reference::plus;
using residual::reference::Values;

// ---- tensors as doubles

Values read(const Tensor& x) {
    if (x.dtype() == DType::kFloat32) return {x.data<float>(), x.data<float>() + x.elements()};
    Values values(static_cast<size_t>(x.elements()));
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(x.data<residual::bfloat16>()[i]);
    return values;
}

double as_stored(DType dtype, double value) {
    const auto single = static_cast<float>(value);
    return dtype == DType::kFloat32 ? single : static_cast<float>(residual::bfloat16(single));
}

void write(const Tensor& x, const Values& values) {
    RESIDUAL_ASSERT(static_cast<size_t>(x.elements()) == values.size());
    for (size_t i = 0; i < values.size(); ++i) {
        const auto single = static_cast<float>(values[i]);
        if (x.dtype() == DType::kFloat32) {
            x.data<float>()[i] = single;
        } else {
            x.data<residual::bfloat16>()[i] = residual::bfloat16(single);
        }
    }
}

size_t channels_of(const Tensor& x) {
    return static_cast<size_t>(x.shape()[-1]);
}
size_t rows_of(const Tensor& x) {
    return static_cast<size_t>(x.elements()) / channels_of(x);
}

// ---- batch norm

// The output of batch norm in float, as the kernels compute it, because its sign masks the gradient. Everything else
// uses residual::reference::BatchNorm in double precision.
class FloatBatchNorm {
  public:
    explicit FloatBatchNorm(const BatchNormParams& batch_norm) : batch_norm_(batch_norm) {
        RESIDUAL_ASSERT(batch_norm.relu);
    }

    float output(double x, size_t c) const {
        const float rstd =
            residual::kernels::reciprocal_std(batch_norm_.stats.variance.data<float>()[c], batch_norm_.epsilon);
        return residual::kernels::normalised(static_cast<float>(x), batch_norm_.stats.mean.data<float>()[c],
                                             batch_norm_.gamma.data<float>()[c] * rstd,
                                             batch_norm_.beta.data<float>()[c]);
    }
    float rectified(double x, size_t c) const {
        const float value = output(x, c);
        return value <= 0.0f ? 0.0f : value;  // keeps NaN
    }
    bool active(double x, size_t c) const { return output(x, c) > 0.0f; }

  private:
    const BatchNormParams& batch_norm_;
};

Values normalised_input(const BatchNormParams& batch_norm, const Tensor& tensor) {
    const FloatBatchNorm float_batch_norm(batch_norm);
    Values p = read(tensor);
    for (size_t i = 0; i < p.size(); ++i) {
        p[i] = as_stored(tensor.dtype(), float_batch_norm.rectified(p[i], i % channels_of(tensor)));
    }
    return p;
}

void write_stats(const Tensor& tensor, const BatchStats& stats) {
    const residual::reference::Moments moments = residual::reference::moments_of(read(tensor), channels_of(tensor));
    write(stats.mean, moments.mean);
    write(stats.variance, moments.variance);
}

void update_running(const BatchNormParams& batch_norm, const Tensor& x, const residual::RunningUpdate& update) {
    if (!update.running.mean.defined()) return;
    const float unbiased = residual::kernels::unbiased_factor(static_cast<int64_t>(rows_of(x)));
    for (size_t c = 0; c < channels_of(x); ++c) {
        float& mean = update.running.mean.data<float>()[c];
        float& variance = update.running.variance.data<float>()[c];
        mean = residual::kernels::running_value(mean, batch_norm.stats.mean.data<float>()[c], update.decay);
        variance = residual::kernels::running_value(variance, batch_norm.stats.variance.data<float>()[c] * unbiased,
                                                    update.decay);
    }
}

// The whole gradient of a tensor: `fixed`, its gradient with the moments held fixed, plus the gradient through the
// moments. Rounded to the type of `fixed`.
Values whole_gradient(const MomentsGradient& moments, const Tensor& tensor, const Tensor& fixed) {
    Values whole = read(fixed);
    if (!moments.mean.defined()) return whole;
    const Values mean = read(moments.mean);
    const auto read_or_zeros = [&](const Tensor& x) { return x.defined() ? read(x) : Values(mean.size()); };
    const residual::reference::Moments gradient{read_or_zeros(moments.dmean), read_or_zeros(moments.dvariance)};
    whole = plus(std::move(whole), residual::reference::moments_dx(read(tensor), mean, gradient));
    for (double& value : whole) value = as_stored(fixed.dtype(), value);
    return whole;
}

// From the gradient `dp` of max(batch_norm(x), 0): writes dx with the moments of x held fixed, and the gradients of
// gamma, beta and, if requested, of the moments.
void backward_through_batch_norm(const BatchNormParams& batch_norm, const Tensor& tensor, Values dp, const Tensor& dx,
                                 bool accumulate, const BatchNormGradients& gradients) {
    const FloatBatchNorm float_batch_norm(batch_norm);
    const Values x = read(tensor);
    for (size_t i = 0; i < x.size(); ++i) {
        if (!float_batch_norm.active(x[i], i % channels_of(tensor))) dp[i] = 0;
    }
    const residual::reference::BatchNorm reference{{read(batch_norm.stats.mean), read(batch_norm.stats.variance)},
                                                   read(batch_norm.gamma),
                                                   read(batch_norm.beta),
                                                   batch_norm.epsilon,
                                                   batch_norm.relu};
    const Values fixed = reference.dx_fixed(dp);
    write(dx, accumulate ? plus(read(dx), fixed) : fixed);
    const residual::reference::BatchNormSums sums = reference.sums(x, dp);
    write(gradients.dgamma, sums.dgamma);
    write(gradients.dbeta, sums.dbeta);
    if (!gradients.dmean.defined()) return;
    const residual::reference::Moments moments = reference.moments_gradient(sums);
    write(gradients.dmean, moments.mean);
    write(gradients.dvariance, moments.variance);
}

// y += residual, after a 2x2 average pool and zero padding of the channels to the shape of y [.., height, width,
// channels].
void add_pooled(const Tensor& residual, const Shape& shape, Values& y) {
    const int64_t height = shape[1], width = shape[2], channels = shape[3], narrow = channels / 2;
    RESIDUAL_ASSERT(residual.shape() == Shape({shape[0], 2 * height, 2 * width, narrow}));
    const Values r = read(residual);
    for (int64_t n = 0; n < shape[0]; ++n)
        for (int64_t row = 0; row < 2 * height; ++row)
            for (int64_t column = 0; column < 2 * width; ++column)
                for (int64_t c = 0; c < narrow; ++c) {
                    const int64_t from = ((n * 2 * height + row) * 2 * width + column) * narrow + c;
                    const int64_t to = ((n * height + row / 2) * width + column / 2) * channels + channels / 4 + c;
                    y[to] += r[from] / 4;
                }
}

}  // namespace

void ReferenceFusedOps::bn_relu_conv(const residual::BnReluConv& unit, const residual::RunningUpdate& running,
                                     const residual::BnReluConvResult& result) {
    const Values p = normalised_input(unit.batch_norm, unit.x);
    Values y = residual::reference::conv(residual::reference::conv_shape(unit.conv), p, read(unit.weight));
    if (unit.pools_residual) {
        add_pooled(unit.residual, unit.conv.output_shape(), y);
    } else if (unit.residual.defined()) {
        y = plus(std::move(y), read(unit.residual));
    }
    write(result.y, y);
    if (result.stats.mean.defined()) write_stats(result.y, result.stats);
    if (result.p.defined()) write(result.p, p);
    update_running(unit.batch_norm, unit.x, running);
}

void ReferenceFusedOps::bn_relu_conv_backward(const residual::BnReluConv& unit, const Tensor& y, const Tensor& dy,
                                              const MomentsGradient& moments, const Tensor& dp,
                                              const residual::BnReluConvGradients& gradients) {
    const residual::reference::ConvShape shape = residual::reference::conv_shape(unit.conv);
    const Values whole = whole_gradient(moments, y, dy);
    if (gradients.dy_whole.defined()) write(gradients.dy_whole, whole);
    write(gradients.dweight,
          residual::reference::conv_dweight(shape, normalised_input(unit.batch_norm, unit.x), whole));
    Values dinput = residual::reference::conv_dx(shape, whole, read(unit.weight));
    if (dp.defined()) dinput = plus(std::move(dinput), read(dp));
    backward_through_batch_norm(unit.batch_norm, unit.x, std::move(dinput), gradients.dx, gradients.accumulate,
                                gradients.batch_norm);
}

void ReferenceFusedOps::stem(const Conv2dParams& conv, const Tensor& x, const Tensor& weight, const Tensor& y,
                             const BatchStats& stats) {
    write(y, residual::reference::conv(residual::reference::conv_shape(conv), read(x), read(weight)));
    if (stats.mean.defined()) write_stats(y, stats);
}

void ReferenceFusedOps::stem_backward(const Conv2dParams& conv, const Tensor& x, const Tensor& y, const Tensor& dy,
                                      const MomentsGradient& moments, const Tensor& dweight) {
    write(dweight, residual::reference::conv_dweight(residual::reference::conv_shape(conv), read(x),
                                                     whole_gradient(moments, y, dy)));
}

void ReferenceFusedOps::classifier(const BatchNormParams& batch_norm, const residual::RunningUpdate& running,
                                   const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& pooled,
                                   const Tensor& logits) {
    const FloatBatchNorm float_batch_norm(batch_norm);
    const Values values = read(x);
    const size_t channels = channels_of(x), pixels = rows_of(x) / rows_of(pooled), classes = channels_of(logits);
    Values means(rows_of(pooled) * channels);
    for (size_t i = 0; i < values.size(); ++i) {
        const size_t c = i % channels;
        means[i / (pixels * channels) * channels + c] += double{float_batch_norm.rectified(values[i], c)} / pixels;
    }
    write(pooled, means);
    const Values stored = read(pooled), w = read(weight);
    Values sums(rows_of(pooled) * classes);
    for (size_t i = 0; i < sums.size(); ++i) {
        const size_t n = i / classes, k = i % classes;
        sums[i] = bias.data<float>()[k];
        for (size_t c = 0; c < channels; ++c) sums[i] += stored[n * channels + c] * w[k * channels + c];
    }
    write(logits, sums);
    update_running(batch_norm, x, running);
}

void ReferenceFusedOps::classifier_backward(const BatchNormParams& batch_norm, const Tensor& x, const Tensor& pooled,
                                            const Tensor& weight, const Tensor& dlogits, const Tensor& dx,
                                            const BatchNormGradients& gradients, const Tensor& dweight,
                                            const Tensor& dbias) {
    const size_t channels = channels_of(x), batch = rows_of(pooled), pixels = rows_of(x) / batch;
    const size_t classes = channels_of(dlogits);
    const Values d = read(dlogits), means = read(pooled), w = read(weight);
    Values dpooled(batch * channels), dw(classes * channels), db(classes);
    for (size_t n = 0; n < batch; ++n) {
        for (size_t k = 0; k < classes; ++k) {
            db[k] += d[n * classes + k];
            for (size_t c = 0; c < channels; ++c) {
                dpooled[n * channels + c] += d[n * classes + k] * w[k * channels + c];
                dw[k * channels + c] += d[n * classes + k] * means[n * channels + c];
            }
        }
    }
    write(dweight, dw);
    write(dbias, db);
    Values dp(static_cast<size_t>(x.elements()));
    for (size_t i = 0; i < dp.size(); ++i) {
        dp[i] = dpooled[i / (pixels * channels) * channels + i % channels] / pixels;
    }
    backward_through_batch_norm(batch_norm, x, std::move(dp), dx, false, gradients);
}

}  // namespace test
