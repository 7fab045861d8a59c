// The safetensors file format (https://github.com/huggingface/safetensors), as raw bytes.
//
// A file is: the header's length N (8 bytes, little-endian, at most 100,000,000); N bytes of JSON, padded with spaces
// so that the data starts on a multiple of 8; the tensors, row-major, little-endian, one after the other without a
// hole. The header maps a tensor's name to {"dtype", "shape", "data_offsets": [begin, end]}, offsets counted from the
// start of the data; "__metadata__", if there, maps strings to strings.
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

// A tensor whose bytes belong to someone else. No dimensions: a scalar. A dimension of 0: no bytes.
struct TensorView {
    std::string name;
    SafetensorsType type = SafetensorsType::kF32;
    std::vector<int64_t> shape;
    std::span<const std::byte> data;
};

// A file read whole into memory; its views live as long as it does.
class SafetensorsFile {
  public:
    // InputError naming the file, the tensor and the value where the file is missing or breaks the format. Nothing is
    // allocated for what the header claims before the claim is checked against the file's size. Error where the file
    // is larger than the memory that is free.
    static SafetensorsFile read(const std::filesystem::path& path);

    SafetensorsFile(SafetensorsFile&&) noexcept = default;
    SafetensorsFile& operator=(SafetensorsFile&&) noexcept = default;
    SafetensorsFile(const SafetensorsFile&) = delete;
    SafetensorsFile& operator=(const SafetensorsFile&) = delete;

    // In the order of their bytes in the file. A view's address is a multiple of its element size if every tensor
    // before it has elements at least as large (write_safetensors sees to it); from other writers it may be any.
    const std::vector<TensorView>& tensors() const { return tensors_; }

    // Null where there is no tensor of that name.
    const TensorView* find(std::string_view name) const;

    const std::map<std::string, std::string>& metadata() const { return metadata_; }

  private:
    SafetensorsFile() = default;

    std::unique_ptr<std::byte[]> data_;
    std::vector<TensorView> tensors_;
    std::map<std::string, size_t, std::less<>> index_;
    std::map<std::string, std::string> metadata_;
};

// Writes the tensors with the largest elements first, otherwise in the order given, so that each starts on a multiple
// of its element size. The file appears complete or not at all (AtomicFile). Names are unique and not "__metadata__",
// and a view holds exactly the bytes of its shape: anything else is a bug of the caller (RESIDUAL_ASSERT). Names and
// metadata are UTF-8, and a failure to write is an Error.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace residual
