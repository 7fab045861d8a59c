#include "engine/io/safetensors_type.h"

#include "engine/core/error.h"

namespace residual {
namespace {

struct Entry {
    SafetensorsType type;
    std::string_view name;
    size_t bytes;
};

constexpr Entry kTypes[] = {
    {SafetensorsType::kBool, "BOOL", 1}, {SafetensorsType::kU8, "U8", 1},     {SafetensorsType::kI8, "I8", 1},
    {SafetensorsType::kI16, "I16", 2},   {SafetensorsType::kU16, "U16", 2},   {SafetensorsType::kI32, "I32", 4},
    {SafetensorsType::kU32, "U32", 4},   {SafetensorsType::kI64, "I64", 8},   {SafetensorsType::kU64, "U64", 8},
    {SafetensorsType::kF16, "F16", 2},   {SafetensorsType::kBF16, "BF16", 2}, {SafetensorsType::kF32, "F32", 4},
    {SafetensorsType::kF64, "F64", 8},
};

const Entry& entry_of(SafetensorsType type) {
    for (const Entry& entry : kTypes) {
        if (entry.type == type) return entry;
    }
    RESIDUAL_ASSERT(!"a SafetensorsType");
}

}  // namespace

size_t size_of(SafetensorsType type) {
    return entry_of(type).bytes;
}

std::string_view name_of(SafetensorsType type) {
    return entry_of(type).name;
}

std::optional<SafetensorsType> safetensors_type_named(std::string_view name) {
    for (const Entry& entry : kTypes) {
        if (entry.name == name) return entry.type;
    }
    return std::nullopt;
}

}  // namespace residual
