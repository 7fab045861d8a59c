// oneDNN under one name: how a primitive is described differs between version 2 (Debian 12) and 3 (Debian 13).
//
// Version 2 builds an operation descriptor first and a primitive descriptor from it; version 3 builds the primitive
// descriptor directly, and batch norm names its input and output apart. The rest is the same in both.
#pragma once

#include <dnnl.hpp>

namespace engine::onednn {

// Scratch memory comes from the engine's arena instead of a buffer inside each primitive.
inline dnnl::primitive_attr caller_scratchpad() {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attributes;
}

template <class Primitive, class... Arguments>
typename Primitive::primitive_desc describe(const dnnl::engine& engine, const Arguments&... arguments) {
#if DNNL_VERSION_MAJOR >= 3
    return {engine, arguments..., caller_scratchpad()};
#else
    return {typename Primitive::desc(arguments...), caller_scratchpad(), engine};
#endif
}

// A backward primitive, with the forward one whose choices it must follow.
template <class Primitive, class Forward, class... Arguments>
typename Primitive::primitive_desc describe_backward(const dnnl::engine& engine, const Forward& forward,
                                                     const Arguments&... arguments) {
#if DNNL_VERSION_MAJOR >= 3
    return {engine, arguments..., forward, caller_scratchpad()};
#else
    return {typename Primitive::desc(arguments...), caller_scratchpad(), engine, forward};
#endif
}

// Forward batch norm; x, y and their gradients have the layout `data`.
inline dnnl::batch_normalization_forward::primitive_desc describe_norm(const dnnl::engine& engine, dnnl::prop_kind kind,
                                                                       const dnnl::memory::desc& data, float epsilon,
                                                                       dnnl::normalization_flags flags) {
#if DNNL_VERSION_MAJOR >= 3
    return describe<dnnl::batch_normalization_forward>(engine, kind, data, data, epsilon, flags);
#else
    return describe<dnnl::batch_normalization_forward>(engine, kind, data, epsilon, flags);
#endif
}

// Its gradient. Version 2 wants to be given the shift, which the gradient does not depend on; version 3 refuses it.
constexpr bool kNormBackwardTakesShift = DNNL_VERSION_MAJOR < 3;

inline dnnl::batch_normalization_backward::primitive_desc describe_norm_backward(
    const dnnl::engine& engine, const dnnl::batch_normalization_forward::primitive_desc& forward,
    const dnnl::memory::desc& data, float epsilon, dnnl::normalization_flags flags) {
    constexpr auto kKind = dnnl::prop_kind::backward;
#if DNNL_VERSION_MAJOR >= 3
    return describe_backward<dnnl::batch_normalization_backward>(engine, forward, kKind, data, data, data, epsilon,
                                                                 flags);
#else
    return describe_backward<dnnl::batch_normalization_backward>(engine, forward, kKind, data, data, epsilon, flags);
#endif
}

}  // namespace engine::onednn
