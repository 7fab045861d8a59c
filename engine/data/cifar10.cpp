#include "engine/data/cifar10.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>

#include "engine/core/checksum.h"
#include "engine/core/error.h"

namespace engine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRemedy = "get the data with `bash tools/get_cifar10.sh`, or name its folder with --data DIR";

bool holds_data(const fs::path& folder) {
    std::error_code ignored;
    return fs::exists(folder / Cifar10::kTrainFiles[0], ignored) || fs::exists(folder / Cifar10::kTestFile, ignored);
}

fs::path with_archive_folder(const fs::path& folder) {
    return !holds_data(folder) && holds_data(folder / Cifar10::kArchiveFolder) ? folder / Cifar10::kArchiveFolder
                                                                               : folder;
}

// Reads one file into `records`, which holds exactly a file's bytes.
void read_batch(const fs::path& path, std::span<uint8_t> records) {
    std::error_code error;
    const uint64_t bytes = fs::file_size(path, error);
    if (error) {
        throw InputError(fmt::format("CIFAR-10 file {}: {}; {}", path.string(), error.message(), kRemedy));
    }
    if (bytes != records.size()) {
        throw InputError(fmt::format("CIFAR-10 file {} has {} bytes, but must have {}; {}", path.string(), bytes,
                                     records.size(), kRemedy));
    }
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in.read(reinterpret_cast<char*>(records.data()), static_cast<std::streamsize>(records.size()))) {
        throw InputError(fmt::format("CIFAR-10 file {} cannot be read: {}; {}", path.string(),
                                     std::strerror(errno != 0 ? errno : EIO), kRemedy));
    }
    check_records(records, path.string());
}

std::optional<std::string> environment(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

}  // namespace

const DataDescription& cifar10_description() {
    static const DataDescription description{
        .name = "CIFAR-10",
        .height = Cifar10::kSide,
        .width = Cifar10::kSide,
        .channels = Cifar10::kChannels,
        .class_names = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"},
        .train_records = Cifar10::kTrainFiles.size() * Cifar10::kRecordsPerFile,
        .test_records = Cifar10::kRecordsPerFile};
    return description;
}

void check_records(std::span<const uint8_t> records, const std::string& file) {
    if (records.empty() || records.size() % Cifar10::kRecordBytes != 0) {
        throw InputError(fmt::format("CIFAR-10 file {} has {} bytes, which are no records of {} bytes each; {}", file,
                                     records.size(), Cifar10::kRecordBytes, kRemedy));
    }
    for (size_t offset = 0; offset < records.size(); offset += Cifar10::kRecordBytes) {
        if (records[offset] >= Cifar10::kClasses) {
            throw InputError(fmt::format("CIFAR-10 file {}: label {} at byte {}, but labels are 0 to {}; {}", file,
                                         records[offset], offset, Cifar10::kClasses - 1, kRemedy));
        }
    }
}

Cifar10 load_cifar10(const fs::path& folder) {
    const fs::path batches = with_archive_folder(folder);
    Cifar10 data;
    data.train.resize(Cifar10::kTrainFiles.size() * Cifar10::kFileBytes);
    data.test.resize(Cifar10::kFileBytes);
    for (size_t i = 0; i < Cifar10::kTrainFiles.size(); ++i) {
        read_batch(batches / Cifar10::kTrainFiles[i],
                   std::span(data.train).subspan(i * Cifar10::kFileBytes, Cifar10::kFileBytes));
    }
    read_batch(batches / Cifar10::kTestFile, data.test);
    data.fingerprint = crc32_of(std::as_bytes(std::span(data.train)));
    return data;
}

fs::path find_cifar10(const std::optional<std::string>& configured) {
    fs::path folder;
    std::string place;
    const std::optional<std::string> named = environment("CIFAR10_DIR");
    if (configured) {
        folder = *configured;
        place = fmt::format("{} (asked for by --data or data.dir)", *configured);
    } else if (named) {
        folder = *named;
        place = fmt::format("{} (asked for by the environment's CIFAR10_DIR)", *named);
    } else {
        const std::optional<std::string> cache = environment("XDG_CACHE_HOME"), home = environment("HOME");
        place = "no --data, no data.dir, no CIFAR10_DIR in the environment, ";
        if (!cache && !home) {
            throw InputError(fmt::format("no CIFAR-10 found: {}no HOME to look for a cache in; {}", place, kRemedy));
        }
        folder = (cache ? fs::path(*cache) : fs::path(*home) / ".cache") / "residual" / "cifar10";
        place += fmt::format("not in the cache {}", folder.string());
    }
    if (!holds_data(with_archive_folder(folder))) {
        throw InputError(fmt::format("no CIFAR-10 found: {}; {}", place, kRemedy));
    }
    return with_archive_folder(folder);
}

std::vector<float> pixel_mean(std::span<const uint8_t> records) {
    constexpr size_t kPixels = size_t{Cifar10::kSide} * Cifar10::kSide;
    constexpr size_t kBytes = kPixels * Cifar10::kChannels;
    // As many bytes as a 16-bit sum holds: 257 * 255 = 65535. Narrow sums take four times fewer vector operations.
    constexpr size_t kBlock = 257;
    ASSERT(!records.empty() && records.size() % Cifar10::kRecordBytes == 0);
    const size_t count = records.size() / Cifar10::kRecordBytes;

    std::vector<uint64_t> sums(kBytes, 0);
    std::vector<uint16_t> block(kBytes);
    for (size_t first = 0; first < count; first += kBlock) {
        std::fill(block.begin(), block.end(), uint16_t{0});
        for (size_t record = first; record < std::min(first + kBlock, count); ++record) {
            const uint8_t* bytes = records.data() + record * Cifar10::kRecordBytes + 1;
            uint16_t* sum = block.data();
#pragma omp simd
            for (size_t i = 0; i < kBytes; ++i) sum[i] = static_cast<uint16_t>(sum[i] + bytes[i]);
        }
        for (size_t i = 0; i < kBytes; ++i) sums[i] += block[i];
    }

    std::vector<float> mean(kBytes);
    for (size_t channel = 0; channel < Cifar10::kChannels; ++channel) {
        for (size_t pixel = 0; pixel < kPixels; ++pixel) {
            const auto sum = static_cast<double>(sums[channel * kPixels + pixel]);
            mean[pixel * Cifar10::kChannels + channel] = static_cast<float>(sum / static_cast<double>(count));
        }
    }
    return mean;
}

}  // namespace engine
