// The JSON header of a safetensors file, checked against the file's size.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/io/safetensors.h"

namespace residual {

constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;

struct SafetensorsEntry {
    std::string name;
    SafetensorsType type = SafetensorsType::kF32;
    std::vector<int64_t> shape;
    uint64_t begin = 0;
    uint64_t end = 0;
};

struct SafetensorsHeader {
    std::vector<SafetensorsEntry> entries;  // sorted by their bytes' place, which they fill without hole or overlap
    std::map<std::string, std::string> metadata;
};

// `file` is the name for messages, `data_bytes` what follows the header in the file. InputError for everything that the
// format forbids.
SafetensorsHeader parse_safetensors_header(const std::string& file, std::string_view json, uint64_t data_bytes);

// The header's JSON for entries laid out already, padded with spaces so that 8 + its length is a multiple of 8.
std::string make_safetensors_header(std::span<const SafetensorsEntry> entries,
                                    const std::map<std::string, std::string>& metadata);

}  // namespace residual
