// oneDNN under one name: how a primitive is described differs between version 2 (Debian 12) and 3 (Debian 13).
//
// Version 2 builds an operation descriptor first and a primitive descriptor from it; version 3 builds the primitive
// descriptor directly. The rest is the same in both.
#pragma once

#include <dnnl.hpp>

namespace residual::onednn {

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

}  // namespace residual::onednn
