#include "engine/io/tensor_values.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "engine/core/dtype.h"
#include "engine/core/error.h"

namespace residual {

namespace {

template <class T>
T load(const TensorView& tensor, size_t index) {
    T value;
    std::memcpy(&value, tensor.data.data() + index * sizeof value, sizeof value);
    return value;
}

// IEEE 754 binary16: a sign, 5 bits of exponent, 10 bits of fraction.
double from_half(uint16_t bits) {
    const int exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
    double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(0x400 + fraction, exponent - 25);
    if (exponent == 0x1f) {
        magnitude = fraction == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
    }
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

}  // namespace

bool is_floating(SafetensorsType type) {
    return type == SafetensorsType::kF16 || type == SafetensorsType::kBF16 || type == SafetensorsType::kF32 ||
           type == SafetensorsType::kF64;
}

double element(const TensorView& tensor, size_t index) {
    switch (tensor.type) {
        case SafetensorsType::kF16:
            return from_half(load<uint16_t>(tensor, index));
        case SafetensorsType::kBF16:
            return static_cast<float>(load<bfloat16>(tensor, index));
        case SafetensorsType::kF32:
            return load<float>(tensor, index);
        case SafetensorsType::kF64:
            return load<double>(tensor, index);
        default:
            RESIDUAL_ASSERT(is_floating(tensor.type));
            return 0;
    }
}

}  // namespace residual
