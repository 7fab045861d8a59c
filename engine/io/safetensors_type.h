// The element types of the safetensors file format.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace residual {

enum class SafetensorsType { kBool, kU8, kI8, kI16, kU16, kI32, kU32, kI64, kU64, kF16, kBF16, kF32, kF64 };

// Bytes of one element.
size_t size_of(SafetensorsType type);

// The name in the file: "F32", "BF16", ...
std::string_view name_of(SafetensorsType type);

// Empty if the format has no such type.
std::optional<SafetensorsType> safetensors_type_named(std::string_view name);

}  // namespace residual
