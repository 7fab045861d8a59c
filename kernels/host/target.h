#pragma once

#include "kernels/exec.h"

// The host kernels are compiled once for every host target in exec.h (see kernels/CMakeLists.txt). The symbols of two
// targets must never have the same name: the linker keeps one function of a name, and baseline code could get one that
// needs AVX-512. A function of kernels/host is therefore a template on the target or in an anonymous namespace, and a
// function of another header is RESIDUAL_HD, which inlines it always.
#if !defined(RESIDUAL_TARGET)
#define RESIDUAL_TARGET Host
#endif

namespace residual::kernels {

// The target for which this translation unit instantiates its kernels.
using Target = RESIDUAL_TARGET;

}  // namespace residual::kernels
