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
    MemoryFile() : descriptor_(memfd_create("input", 0)) { ASSERT(descriptor_ >= 0); }

    std::string write(const uint8_t* data, size_t size) const {
        ASSERT(ftruncate(descriptor_, 0) == 0);
        ASSERT(pwrite(descriptor_, data, size, 0) == static_cast<ssize_t>(size));
        return "/proc/self/fd/" + std::to_string(descriptor_);
    }

  private:
    int descriptor_;
};

uint64_t bytes_of(const engine::TensorView& tensor) {
    uint64_t bytes = size_of(tensor.type);
    for (const int64_t size : tensor.shape) {
        ASSERT(size >= 0);
        // A dimension of 0 empties the tensor, whatever the others multiply to.
        if (size == 0) return 0;
    }
    for (const int64_t size : tensor.shape) ASSERT(!__builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes));
    return bytes;
}

void expect_views_of(const engine::SafetensorsFile& file, std::span<const uint8_t> data) {
    const std::byte* next = file.tensors().empty() ? nullptr : file.tensors().front().data.data();
    uint64_t offset = 0;
    for (const engine::TensorView& tensor : file.tensors()) {
        ASSERT(tensor.data.size() == bytes_of(tensor));
        ASSERT(tensor.data.data() == next);
        ASSERT(tensor.data.size() <= data.size() - offset);
        ASSERT(tensor.data.empty() || std::memcmp(tensor.data.data(), &data[offset], tensor.data.size()) == 0);
        ASSERT(file.find(tensor.name) == &tensor);
        next += tensor.data.size();
        offset += tensor.data.size();
    }
    ASSERT(offset == data.size());
}

void expect_header_to_survive(const engine::SafetensorsFile& file, uint64_t data_bytes) {
    std::vector<engine::SafetensorsEntry> entries;
    uint64_t offset = 0;
    for (const engine::TensorView& tensor : file.tensors()) {
        entries.push_back({tensor.name, tensor.type, tensor.shape, offset, offset + tensor.data.size()});
        offset += tensor.data.size();
    }
    const std::string text = engine::make_safetensors_header(entries, file.metadata());
    const engine::SafetensorsHeader again = engine::parse_safetensors_header("written", text, data_bytes);
    ASSERT(again.metadata == file.metadata());
    ASSERT(std::equal(
        again.entries.begin(), again.entries.end(), entries.begin(), entries.end(), [](const auto& a, const auto& b) {
            return a.name == b.name && a.type == b.type && a.shape == b.shape && a.begin == b.begin && a.end == b.end;
        }));
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const MemoryFile memory;
    std::optional<engine::SafetensorsFile> file;
    try {
        file = engine::SafetensorsFile::read(memory.write(data, size));
    } catch (const engine::InputError&) {
        return 0;
    }
    uint64_t header_bytes = 0;
    std::memcpy(&header_bytes, data, sizeof header_bytes);
    const std::span<const uint8_t> tensors = std::span(data, size).subspan(sizeof header_bytes + header_bytes);
    expect_views_of(*file, tensors);
    expect_header_to_survive(*file, tensors.size());
    try {
        engine::checkpoint_info_of("the input", file->metadata(), file->tensors());
    } catch (const engine::InputError&) {
    }
    return 0;
}
