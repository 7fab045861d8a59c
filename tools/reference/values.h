// What the plain loops of this folder compute with, in double precision. They are what tests and kernel-bench compare
// an operation's results with, and share nothing with the kernels.
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
