// The bytes of a safetensors file: refused with InputError, or accepted and then tensors that lie in the file's data
// one after the other, each as large as its type and shape say, under a header that can be written down and read back.
// Its metadata, taken for a checkpoint's, is read or refused alike.
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

// A file in memory, rewritten for each input: read() takes a path.
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
        // A dimension of 0 empties the tensor, whatever the others multiply to.
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

void expect_header_to_survive(const residual::SafetensorsFile& file, uint64_t data_bytes) {
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
    expect_header_to_survive(*file, tensors.size());
    try {
        residual::checkpoint_info_of("the input", file->metadata(), file->tensors());
    } catch (const residual::InputError&) {
    }
    return 0;
}
