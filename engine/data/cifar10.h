// CIFAR-10, binary version (Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009): a record is 1
// label byte, then the red, green and blue planes of 32x32 bytes each; a file holds 10,000 records.
#pragma once

#include <array>
#include <cstddef>

#include "engine/data/description.h"

namespace residual {

struct Cifar10 {
    static constexpr int kClasses = 10;
    static constexpr int kSide = 32;
    static constexpr int kChannels = 3;
    static constexpr size_t kRecordBytes = 1 + size_t{kChannels} * kSide * kSide;
    static constexpr size_t kRecordsPerFile = 10'000;
    static constexpr std::array<const char*, 5> kTrainFiles = {
        "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"};
    static constexpr const char* kTestFile = "test_batch.bin";
    static constexpr const char* kClassNamesFile = "batches.meta.txt";  // one name per line
};

const DataDescription& cifar10_description();

}  // namespace residual
