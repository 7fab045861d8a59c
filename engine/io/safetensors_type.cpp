#include "engine/io/safetensors_type.h"

#include <utility>

#include "engine/core/error.h"

namespace residual {
namespace {

constexpr std::pair<std::string_view, SafetensorsType> kTypes[] = {
    {"BOOL", SafetensorsType::kBool}, {"U8", SafetensorsType::kU8},     {"I8", SafetensorsType::kI8},
    {"I16", SafetensorsType::kI16},   {"U16", SafetensorsType::kU16},   {"I32", SafetensorsType::kI32},
    {"U32", SafetensorsType::kU32},   {"I64", SafetensorsType::kI64},   {"U64", SafetensorsType::kU64},
    {"F16", SafetensorsType::kF16},   {"BF16", SafetensorsType::kBF16}, {"F32", SafetensorsType::kF32},
    {"F64", SafetensorsType::kF64},
};

}  // namespace

size_t size_of(SafetensorsType type) {
    switch (type) {
        case SafetensorsType::kBool:
        case SafetensorsType::kU8:
        case SafetensorsType::kI8:
            return 1;
        case SafetensorsType::kI16:
        case SafetensorsType::kU16:
        case SafetensorsType::kF16:
        case SafetensorsType::kBF16:
            return 2;
        case SafetensorsType::kI32:
        case SafetensorsType::kU32:
        case SafetensorsType::kF32:
            return 4;
        case SafetensorsType::kI64:
        case SafetensorsType::kU64:
        case SafetensorsType::kF64:
            return 8;
    }
    RESIDUAL_ASSERT(!"a SafetensorsType");
}

std::string_view name_of(SafetensorsType type) {
    for (const auto& [name, known] : kTypes) {
        if (known == type) return name;
    }
    RESIDUAL_ASSERT(!"a SafetensorsType");
}

std::optional<SafetensorsType> safetensors_type_named(std::string_view name) {
    for (const auto& [known, type] : kTypes) {
        if (known == name) return type;
    }
    return std::nullopt;
}

}  // namespace residual
