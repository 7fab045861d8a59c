#include "engine/data/data_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/core/checksum.h"

namespace residual {

DataSet make_data_set(std::vector<uint8_t> train, std::vector<uint8_t> test) {
    const uint32_t fingerprint = crc32_of(std::as_bytes(std::span(train)));
    return {std::move(train), std::move(test), fingerprint};
}

void check_records(const DataDescription& description, std::span<const uint8_t> records, const std::string& file,
                   size_t skipped) {
    const auto record_bytes = static_cast<size_t>(description.record_bytes());
    if (records.empty() || records.size() % record_bytes != 0) {
        throw DataError(fmt::format("{} file {} has {} bytes, but must hold one or more records of {} bytes each",
                                    description.name, file, records.size(), record_bytes));
    }
    for (size_t offset = 0; offset < records.size(); offset += record_bytes) {
        if (records[offset] >= description.classes()) {
            throw DataError(fmt::format("{} file {}: label {} at byte {}, but labels are 0 to {}", description.name,
                                        file, records[offset], offset + (offset / record_bytes + 1) * skipped,
                                        description.classes() - 1));
        }
    }
}

std::vector<int64_t> labels_of(const DataDescription& description, std::span<const uint8_t> records) {
    std::vector<int64_t> labels;
    for (size_t at = 0; at < records.size(); at += static_cast<size_t>(description.record_bytes())) {
        labels.push_back(records[at]);
    }
    return labels;
}

std::vector<float> pixel_mean(const DataDescription& description, std::span<const uint8_t> records) {
    const auto channels = static_cast<size_t>(description.channels);
    const auto record_bytes = static_cast<size_t>(description.record_bytes());
    const size_t elements = record_bytes - 1, pixels = elements / channels;
    // The most bytes that a 16-bit sum holds: 257 * 255 = 65535. 64-bit sums would take four times the vector
    // operations.
    constexpr size_t kBlock = 257;
    RESIDUAL_ASSERT(!records.empty() && records.size() % record_bytes == 0);
    const size_t count = records.size() / record_bytes;

    std::vector<uint64_t> sums(elements, 0);
    std::vector<uint16_t> block(elements);
    for (size_t first = 0; first < count; first += kBlock) {
        std::fill(block.begin(), block.end(), uint16_t{0});
        for (size_t record = first; record < std::min(first + kBlock, count); ++record) {
            const uint8_t* bytes = records.data() + record * record_bytes + 1;
            uint16_t* sum = block.data();
#pragma omp simd
            for (size_t i = 0; i < elements; ++i) sum[i] = static_cast<uint16_t>(sum[i] + bytes[i]);
        }
        for (size_t i = 0; i < elements; ++i) sums[i] += block[i];
    }

    std::vector<float> mean(elements);
    for (size_t channel = 0; channel < channels; ++channel) {
        for (size_t pixel = 0; pixel < pixels; ++pixel) {
            const auto sum = static_cast<double>(sums[channel * pixels + pixel]);
            mean[pixel * channels + channel] = static_cast<float>(sum / static_cast<double>(count));
        }
    }
    return mean;
}

}  // namespace residual
