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
    std::vector<SafetensorsEntry> entries;  // in file order, contiguous
    std::map<std::string, std::string> metadata;
};

// `file` is the name for messages, `data_bytes` the number of bytes after the header. Throws InputError if the header
// violates the format.
SafetensorsHeader parse_safetensors_header(const std::string& file, std::string_view json, uint64_t data_bytes);

// The JSON of a header with these entries, padded with spaces to a multiple of 8 bytes.
std::string make_safetensors_header(std::span<const SafetensorsEntry> entries,
                                    const std::map<std::string, std::string>& metadata);

}  // namespace residual
