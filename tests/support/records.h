// CIFAR-10 records with distinct labels and bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/data/cifar10.h"
#include "tests/support/array.h"

namespace test {

// Up to ten records of random bytes; record i has label i.
inline std::vector<uint8_t> numbered_records(int count) {
    RESIDUAL_ASSERT(count <= 10);
    Random random("records");
    std::vector<uint8_t> records(static_cast<size_t>(count) * residual::Cifar10::kRecordBytes);
    for (size_t i = 0; i < records.size(); ++i) records[i] = static_cast<uint8_t>(random.below(256));
    for (int i = 0; i < count; ++i)
        records[static_cast<size_t>(i) * residual::Cifar10::kRecordBytes] = static_cast<uint8_t>(i);
    return records;
}

// The pixel byte of record `index` at a row, column and channel.
inline int byte_of(const std::vector<uint8_t>& records, int index, int row, int column, int channel) {
    const int size = residual::Cifar10::kSide;
    return records[static_cast<size_t>(index) * residual::Cifar10::kRecordBytes + 1 + (channel * size + row) * size +
                   column];
}

}  // namespace test
