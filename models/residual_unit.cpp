#include "models/residual_unit.h"

#include "engine/ops/pool.h"

namespace residual::models {

using nn::Activation;
using nn::BatchNorm;
using nn::Conv2d;
using nn::Parameters;

namespace {

constexpr int kKernel = 3;

bool changes_size(const UnitPlace& place) {
    return place.in_channels != place.out_channels;
}

// How the shortcut without weights makes an image smaller.
ShortcutKind kind_of(Shortcut shortcut) {
    return shortcut == Shortcut::avgpool_zeropad ? ShortcutKind::kAveragePool : ShortcutKind::kSubsample;
}

Conv2d make_projection(Parameters& parameters, const UnitPlace& place, Padding padding) {
    return Conv2d(parameters, place.name + ".shortcut", place.in_channels, place.out_channels, 1, place.stride,
                  to_engine(padding));
}

}  // namespace

ops::Padding to_engine(Padding padding) {
    return padding == Padding::same ? ops::Padding::kSame : ops::Padding::kSymmetric;
}

PreactUnit::PreactUnit(Parameters& parameters, const UnitPlace& place, const UnitOptions& options)
    : norm1_(parameters, place.name + ".norm1", place.in_channels, options.batch_norm),
      conv1_(parameters, place.name + ".conv1", place.in_channels, place.out_channels, kKernel, place.stride,
             to_engine(options.padding)),
      norm2_(parameters, place.name + ".norm2", place.out_channels, options.batch_norm),
      conv2_(parameters, place.name + ".conv2", place.out_channels, place.out_channels, kKernel, 1,
             to_engine(options.padding)),
      place_(place),
      shortcut_(options.shortcut) {
    if (options.shortcut == Shortcut::projection && changes_size(place)) {
        projection_ = make_projection(parameters, place, options.padding);
    }
}

Activation PreactUnit::forward(Context& context, const Activation& x) const {
    const bool adds = shortcut_ != Shortcut::none;
    const auto norm1 = norm1_.prologue(context, x, true);
    const bool from_p = adds && (place_.identity_from_p || projection_);
    const auto r =
        conv1_.forward(context, x.value, {.batch_norm = &norm1, .want_stats = context.training, .want_p = from_p});

    Conv2d::Options options{.want_stats = context.training};
    if (projection_) {
        options.residual = projection_->forward(context, r.p, {}).y;
    } else if (adds) {
        options.residual = from_p ? r.p : x.value;
        if (changes_size(place_)) options.shortcut = kind_of(shortcut_);
    }
    const auto norm2 = norm2_.prologue(context, {r.y, r.stats}, true);
    options.batch_norm = &norm2;
    const auto y = conv2_.forward(context, r.y, options);
    return {y.y, y.stats};
}

PostactUnit::PostactUnit(Parameters& parameters, const UnitPlace& place, const UnitOptions& options)
    : conv1_(parameters, place.name + ".conv1", place.in_channels, place.out_channels, kKernel, place.stride,
             to_engine(options.padding)),
      norm1_(parameters, place.name + ".norm1", place.out_channels, options.batch_norm),
      conv2_(parameters, place.name + ".conv2", place.out_channels, place.out_channels, kKernel, 1,
             to_engine(options.padding)),
      norm2_(parameters, place.name + ".norm2", place.out_channels, options.batch_norm),
      place_(place),
      shortcut_(options.shortcut) {
    if (options.shortcut == Shortcut::projection && changes_size(place)) {
        projection_ = make_projection(parameters, place, options.padding);
        projection_batch_norm_.emplace(parameters, place.name + ".shortcut_norm", place.out_channels,
                                       options.batch_norm);
    }
}

Variable PostactUnit::shortcut(Context& context, const Variable& x) const {
    if (shortcut_ == Shortcut::none) return {};
    if (!projection_) {
        return changes_size(place_) ? ops::shortcut(context, x, kind_of(shortcut_), place_.out_channels) : x;
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
