#include "models/residual_unit.h"

#include "engine/ops/pool.h"

namespace residual::models {

using nn::Activation;
using nn::BatchNorm;
using nn::Conv2d;
using nn::Parameters;

namespace {

constexpr int kKernel = 3;

bool changes_size(const UnitSpec& spec) {
    return spec.in_channels != spec.out_channels;
}

ShortcutKind kind_of(Shortcut shortcut) {
    return shortcut == Shortcut::avgpool_zeropad ? ShortcutKind::kAveragePool : ShortcutKind::kSubsample;
}

Conv2d make_projection(Parameters& parameters, const UnitSpec& spec, Padding padding) {
    return Conv2d(parameters, spec.name + ".shortcut", spec.in_channels, spec.out_channels, 1, spec.stride,
                  to_engine(padding));
}

}  // namespace

ops::Padding to_engine(Padding padding) {
    return padding == Padding::same ? ops::Padding::kSame : ops::Padding::kSymmetric;
}

PreactUnit::PreactUnit(Parameters& parameters, const UnitSpec& spec, const UnitOptions& options)
    : norm1_(parameters, spec.name + ".norm1", spec.in_channels, options.batch_norm),
      conv1_(parameters, spec.name + ".conv1", spec.in_channels, spec.out_channels, kKernel, spec.stride,
             to_engine(options.padding)),
      norm2_(parameters, spec.name + ".norm2", spec.out_channels, options.batch_norm),
      conv2_(parameters, spec.name + ".conv2", spec.out_channels, spec.out_channels, kKernel, 1,
             to_engine(options.padding)),
      spec_(spec),
      shortcut_(options.shortcut) {
    if (options.shortcut == Shortcut::projection && changes_size(spec)) {
        projection_ = make_projection(parameters, spec, options.padding);
    }
}

Activation PreactUnit::forward(Context& context, const Activation& x) const {
    const bool adds = shortcut_ != Shortcut::none;
    const auto norm1 = norm1_.prologue(context, x, true);
    const bool from_p = adds && (spec_.identity_from_p || projection_);
    const auto r =
        conv1_.forward(context, x.value, {.batch_norm = &norm1, .want_stats = context.training, .want_p = from_p});

    ops::ConvOptions options{.want_stats = context.training};
    if (projection_) {
        options.residual = projection_->forward(context, r.p, {}).y;
    } else if (adds) {
        options.residual = from_p ? r.p : x.value;
        if (changes_size(spec_)) options.shortcut = kind_of(shortcut_);
    }
    const auto norm2 = norm2_.prologue(context, {r.y, r.stats}, true);
    options.batch_norm = &norm2;
    const auto y = conv2_.forward(context, r.y, options);
    return {y.y, y.stats};
}

PostactUnit::PostactUnit(Parameters& parameters, const UnitSpec& spec, const UnitOptions& options)
    : conv1_(parameters, spec.name + ".conv1", spec.in_channels, spec.out_channels, kKernel, spec.stride,
             to_engine(options.padding)),
      norm1_(parameters, spec.name + ".norm1", spec.out_channels, options.batch_norm),
      conv2_(parameters, spec.name + ".conv2", spec.out_channels, spec.out_channels, kKernel, 1,
             to_engine(options.padding)),
      norm2_(parameters, spec.name + ".norm2", spec.out_channels, options.batch_norm),
      spec_(spec),
      shortcut_(options.shortcut) {
    if (options.shortcut == Shortcut::projection && changes_size(spec)) {
        projection_ = make_projection(parameters, spec, options.padding);
        projection_batch_norm_.emplace(parameters, spec.name + ".shortcut_norm", spec.out_channels, options.batch_norm);
    }
}

Variable PostactUnit::shortcut(Context& context, const Variable& x) const {
    if (shortcut_ == Shortcut::none) return {};
    if (!projection_) {
        return changes_size(spec_) ? ops::shortcut(context, x, kind_of(shortcut_), spec_.out_channels) : x;
    }
    const auto projected = projection_->forward(context, x, {.want_stats = context.training});
    return projection_batch_norm_->forward(context, {projected.y, projected.stats}, false);
}

Activation PostactUnit::forward(Context& context, const Activation& x) const {
    const auto r = conv1_.forward(context, x.value, {.want_stats = context.training});
    const auto norm1 = norm1_.prologue(context, {r.y, r.stats}, true);
    const auto y = conv2_.forward(context, r.y, {.batch_norm = &norm1, .want_stats = context.training});
    return {norm2_.forward(context, {y.y, y.stats}, true, shortcut(context, x.value)), {}};
}

}  // namespace residual::models
