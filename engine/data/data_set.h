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

struct DataSet {
    std::vector<uint8_t> train, test;  // Records, see DataDescription.
    uint32_t fingerprint = 0;          // CRC-32 of `train`.
};

// Thrown if a data set is missing or damaged.
class DataError : public InputError {
  public:
    using InputError::InputError;
};

DataSet make_data_set(std::vector<uint8_t> train, std::vector<uint8_t> test);

// Throws a DataError naming `file` unless `records` holds one or more whole records, each with the label of a class.
// Each record in the file is preceded by `skipped` bytes that `records` does not contain; the byte position reported
// for a bad label includes them.
void check_records(const DataDescription& description, std::span<const uint8_t> records, const std::string& file,
                   size_t skipped = 0);

// The label of each record.
std::vector<int64_t> labels_of(const DataDescription& description, std::span<const uint8_t> records);

// The per-pixel mean of `records` (at least one), [height, width, channels], 0 to 255. The sums are exact integers;
// each is divided in double and rounded once to float.
std::vector<float> pixel_mean(const DataDescription& description, std::span<const uint8_t> records);

}  // namespace residual
