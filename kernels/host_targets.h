// The host targets of exec.h that this CPU supports: it has the instructions that kernels/CMakeLists.txt compiles the
// target for, and the operating system saves their registers.
#pragma once

#include "kernels/exec.h"

namespace residual::kernels {

constexpr const char* name_of(Host) {
    return "baseline";
}
inline bool supported(Host) {
    return true;
}

#if defined(__x86_64__)
constexpr const char* name_of(HostAvx2) {
    return "avx2";
}
inline bool supported(HostAvx2) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

constexpr const char* name_of(HostAvx512) {
    return "avx512";
}
inline bool supported(HostAvx512) {
    return supported(HostAvx2{}) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

// Calls f(target) for each supported host target; each one is faster than those before it.
template <class F>
void for_each_host(F f) {
    const auto call = [&](auto target) {
        if (supported(target)) f(target);
    };
    call(Host{});
#if defined(__x86_64__)
    call(HostAvx2{});
    call(HostAvx512{});
#endif
}

}  // namespace residual::kernels
