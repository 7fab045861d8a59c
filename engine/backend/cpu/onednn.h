// Hides the API difference between oneDNN 2 (Debian 12), which builds a primitive descriptor from an operation
// descriptor, and oneDNN 3 (Debian 13), which builds it directly.
#pragma once

#include <dnnl.hpp>

namespace residual::onednn {

// The caller provides scratch memory, from the engine's arena, instead of each primitive holding a buffer.
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

// A backward primitive needs the descriptor of its forward primitive as a hint.
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
