// CIFAR-10 as its binary files have it (Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009): a
// record is 1 label byte, then the red, the green and the blue plane of 32x32 bytes each; a file is 10,000 records.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/data/description.h"

namespace engine {

struct Cifar10 {
    static constexpr int kClasses = 10;
    static constexpr int kSide = 32;
    static constexpr int kChannels = 3;
    static constexpr size_t kRecordBytes = 1 + size_t{kChannels} * kSide * kSide;
    static constexpr size_t kRecordsPerFile = 10'000;
    static constexpr size_t kFileBytes = kRecordsPerFile * kRecordBytes;
    static constexpr std::array<const char*, 5> kTrainFiles = {
        "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"};
    static constexpr const char* kTestFile = "test_batch.bin";
    static constexpr const char* kClassNamesFile = "batches.meta.txt";  // one name a line
    static constexpr const char* kArchiveFolder = "cifar-10-batches-bin";

    std::vector<uint8_t> train;  // 50,000 records, the files in their order
    std::vector<uint8_t> test;   // 10,000 records
    uint32_t fingerprint = 0;    // CRC-32 of `train`
};

const DataDescription& cifar10_description();

// InputError naming `file` where it is not one or more whole records, each with a label from 0 to 9.
void check_records(std::span<const uint8_t> records, const std::string& file);

// Reads the six files in `folder`, or in its cifar-10-batches-bin. InputError where one is missing, has not exactly
// 30,730,000 bytes, or holds a label above 9.
Cifar10 load_cifar10(const std::filesystem::path& folder);

// The folder to read: `configured`, else the environment's CIFAR10_DIR, else the cache
// (${XDG_CACHE_HOME:-$HOME/.cache}/residual/cifar10). A folder asked for is never replaced by one lower in the list:
// what does not hold the data is an InputError that lists the places looked at.
std::filesystem::path find_cifar10(const std::optional<std::string>& configured);

// The mean picture of `records`, [32, 32, 3] (height, width, channel) in bytes' units, 0 to 255: each sum is exact,
// then divided in double and rounded once to float. At least one record.
std::vector<float> pixel_mean(std::span<const uint8_t> records);

}  // namespace engine
