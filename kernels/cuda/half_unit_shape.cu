#include "kernels/cuda/half_unit_shape.h"

#include <algorithm>

namespace kernels {

size_t half_unit_shared_bytes(const HalfUnitShape& shape) {
    return std::max(forward_shared_bytes(shape), backward_shared_bytes(shape));
}

}  // namespace kernels
