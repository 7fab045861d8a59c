// The safetensors file format (https://github.com/huggingface/safetensors), as raw bytes.
//
// A file holds the header length N (8 bytes, little-endian, at most 100,000,000); N bytes of JSON, padded with spaces
// so that the data starts on a multiple of 8; the tensors, row-major, little-endian, without gaps. The header maps a
// tensor's name to {"dtype", "shape", "data_offsets": [begin, end]}, with offsets from the start of the data; the
// optional "__metadata__" maps strings to strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/safetensors_type.h"

namespace residual {

// A tensor that does not own its bytes. An empty shape is a scalar.
struct TensorView {
    std::string name;
    SafetensorsType type = SafetensorsType::kF32;
    std::vector<int64_t> shape;
    std::span<const std::byte> data;
};

// The metadata of a file, of which only the header is read. Throws the same errors as SafetensorsFile::read().
std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& path);

// A whole file in memory. Moving it does not invalidate its views; destroying it does.
class SafetensorsFile {
  public:
    // Throws InputError naming the file, the tensor and the value if the file is missing or malformed. Sizes in the
    // header are checked against the file size before memory is allocated for them. Throws Error if the file is larger
    // than the free memory.
    static SafetensorsFile read(const std::filesystem::path& path);

    // In file order. Views are aligned to their element size if write_safetensors() wrote the file; other programs may
    // write unaligned tensors.
    const std::vector<TensorView>& tensors() const { return tensors_; }

    // Null if there is no tensor of that name.
    const TensorView* find(std::string_view name) const;

    const std::map<std::string, std::string>& metadata() const { return metadata_; }

  private:
    SafetensorsFile() = default;

    std::unique_ptr<std::byte[]> data_;
    std::vector<TensorView> tensors_;
    std::map<std::string, size_t, std::less<>> index_;
    std::map<std::string, std::string> metadata_;
};

// Writes the file through an AtomicFile, tensors of the widest element type first and those of one width in the
// given order, so that each is aligned to its element size. Names must be unique and not "__metadata__", and a view
// must hold exactly the bytes of its shape (asserted). Throws Error if the file cannot be written, or a name or
// metadata is not UTF-8.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace residual
