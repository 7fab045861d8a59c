// A data set in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/data/description.h"

namespace residual {

// The records of DataDescription.
struct DataSet {
    std::vector<uint8_t> train, test;
    uint32_t fingerprint = 0;  // CRC-32 of `train`.
};

// A data set that is missing or damaged.
class DataError : public InputError {
  public:
    using InputError::InputError;
};

DataSet make_data_set(std::vector<uint8_t> train, std::vector<uint8_t> test);

// DataError naming `file` where `records` are not one or more whole records, each with the label of a class. The file
// has `before` bytes more in front of each.
void check_records(const DataDescription& description, std::span<const uint8_t> records, const std::string& file,
                   size_t before = 0);

// The per-pixel mean of `records`, [height, width, channels] in bytes' units, 0 to 255: each sum is exact, then divided
// in double and rounded once to float. At least one record.
std::vector<float> pixel_mean(const DataDescription& description, std::span<const uint8_t> records);

}  // namespace residual
