// Element types of tensors and the corresponding C++ types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "kernels/bfloat16.h"

namespace residual {

using kernels::bfloat16;

enum class DType { kFloat32, kBFloat16, kFloat64, kInt32, kInt64, kUInt8 };

constexpr size_t size_of(DType dtype) {
    switch (dtype) {
        case DType::kFloat64:
        case DType::kInt64:
            return 8;
        case DType::kFloat32:
        case DType::kInt32:
            return 4;
        case DType::kBFloat16:
            return 2;
        case DType::kUInt8:
            return 1;
    }
    return 0;
}

constexpr std::string_view name_of(DType dtype) {
    switch (dtype) {
        case DType::kFloat32:
            return "float32";
        case DType::kBFloat16:
            return "bfloat16";
        case DType::kFloat64:
            return "float64";
        case DType::kInt32:
            return "int32";
        case DType::kInt64:
            return "int64";
        case DType::kUInt8:
            return "uint8";
    }
    return "unknown";
}

// DTypeOf<float>::value is DType::kFloat32, and so on.
template <class T>
struct DTypeOf;

template <>
struct DTypeOf<float> : std::integral_constant<DType, DType::kFloat32> {};
template <>
struct DTypeOf<bfloat16> : std::integral_constant<DType, DType::kBFloat16> {};
template <>
struct DTypeOf<double> : std::integral_constant<DType, DType::kFloat64> {};
template <>
struct DTypeOf<int32_t> : std::integral_constant<DType, DType::kInt32> {};
template <>
struct DTypeOf<int64_t> : std::integral_constant<DType, DType::kInt64> {};
template <>
struct DTypeOf<uint8_t> : std::integral_constant<DType, DType::kUInt8> {};

}  // namespace residual
