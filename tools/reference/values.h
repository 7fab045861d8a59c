// The values of a tensor in double precision. The functions in this folder are the reference that tests and
// kernel-bench compare operations with; they share no code with the kernels.
#pragma once

#include <cstddef>
#include <vector>

namespace residual::reference {

using Values = std::vector<double>;

inline Values plus(Values a, const Values& b) {
    for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
}

}  // namespace residual::reference
