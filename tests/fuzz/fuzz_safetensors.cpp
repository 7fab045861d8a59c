// The bytes of a safetensors file are refused with InputError, or accepted. The tensors of an accepted file are
// contiguous, fill its data, and have the sizes given by type and shape; its header survives a round trip. Its metadata
// is then read as that of a checkpoint, or refused with InputError.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/io/checkpoint_info.h"
#include "engine/io/safetensors.h"
#include "engine/io/safetensors_header.h"
#include "tests/fuzz/target.h"

namespace {

// A file in memory, rewritten for each input, because read() takes a path.
class MemoryFile {
  public:
    MemoryFile() : descriptor_(memfd_create("input", 0)) { RESIDUAL_ASSERT(descriptor_ >= 0); }

    std::string write(const uint8_t* data, size_t size) const {
        RESIDUAL_ASSERT(ftruncate(descriptor_, 0) == 0);
        RESIDUAL_ASSERT(pwrite(descriptor_, data, size, 0) == static_cast<ssize_t>(size));
        return "/proc/self/fd/" + std::to_string(descriptor_);
    }

  private:
    int descriptor_;
};

uint64_t bytes_of(const residual::TensorView& tensor) {
    uint64_t bytes = size_of(tensor.type);
    for (const int64_t size : tensor.shape) {
        RESIDUAL_ASSERT(size >= 0);
        // With a dimension of 0 the product of the others may overflow.
        if (size == 0) return 0;
    }
    for (const int64_t size : tensor.shape)
        RESIDUAL_ASSERT(!__builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes));
    return bytes;
}

void expect_views_of(const residual::SafetensorsFile& file, std::span<const uint8_t> data) {
    const std::byte* next = file.tensors().empty() ? nullptr : file.tensors().front().data.data();
    uint64_t offset = 0;
    for (const residual::TensorView& tensor : file.tensors()) {
        RESIDUAL_ASSERT(tensor.data.size() == bytes_of(tensor));
        RESIDUAL_ASSERT(tensor.data.data() == next);
        RESIDUAL_ASSERT(tensor.data.size() <= data.size() - offset);
        RESIDUAL_ASSERT(tensor.data.empty() || std::memcmp(tensor.data.data(), &data[offset], tensor.data.size()) == 0);
        RESIDUAL_ASSERT(file.find(tensor.name) == &tensor);
        next += tensor.data.size();
        offset += tensor.data.size();
    }
    RESIDUAL_ASSERT(offset == data.size());
}

void expect_header_round_trip(const residual::SafetensorsFile& file, uint64_t data_bytes) {
    std::vector<residual::SafetensorsEntry> entries;
    uint64_t offset = 0;
    for (const residual::TensorView& tensor : file.tensors()) {
        entries.push_back({tensor.name, tensor.type, tensor.shape, offset, offset + tensor.data.size()});
        offset += tensor.data.size();
    }
    const std::string text = residual::make_safetensors_header(entries, file.metadata());
    const residual::SafetensorsHeader again = residual::parse_safetensors_header("written", text, data_bytes);
    RESIDUAL_ASSERT(again.metadata == file.metadata());
    RESIDUAL_ASSERT(std::equal(
        again.entries.begin(), again.entries.end(), entries.begin(), entries.end(), [](const auto& a, const auto& b) {
            return a.name == b.name && a.type == b.type && a.shape == b.shape && a.begin == b.begin && a.end == b.end;
        }));
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const MemoryFile memory;
    std::optional<residual::SafetensorsFile> file;
    try {
        file = residual::SafetensorsFile::read(memory.write(data, size));
    } catch (const residual::InputError&) {
        return 0;
    }
    uint64_t header_bytes = 0;
    std::memcpy(&header_bytes, data, sizeof header_bytes);
    const std::span<const uint8_t> tensors = std::span(data, size).subspan(sizeof header_bytes + header_bytes);
    expect_views_of(*file, tensors);
    expect_header_round_trip(*file, tensors.size());
    try {
        residual::checkpoint_info_of("the input", file->metadata(), file->tensors());
    } catch (const residual::InputError&) {
    }
    return 0;
}
