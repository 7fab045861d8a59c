// A network's state in one safetensors file.
//
// Tensors: every parameter and running statistic by its name, convolution weights as [out, in, kh, kw];
// `optimizer.momentum.<parameter>`; `data.mean` [3, 32, 32], the picture subtracted from every input. Metadata:
// `format_version`, `config` (JSON text), `step` (updates done), `data_fingerprint` (CRC-32 of the training records)
// and `checksum` (CRC-32 of all tensors' bytes, in the order of the file).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/safetensors.h"
#include "engine/nn/parameters.h"

namespace engine {

struct CheckpointInfo {
    std::string config;
    int64_t step = 0;
    uint32_t data_fingerprint = 0;
};

// Writes the file complete or not at all. `mean`: [32, 32, 3].
void save_checkpoint(const std::filesystem::path& path, Backend& backend, const nn::Parameters& parameters,
                     const std::vector<float>& mean, const CheckpointInfo& info);

class Checkpoint {
  public:
    // Throws InputError if the file is not a safetensors file, was made by a newer version of the format, or does not
    // have the checksum it claims. A file from elsewhere has no info().
    static Checkpoint read(const std::filesystem::path& path);

    const std::optional<CheckpointInfo>& info() const { return info_; }
    // [32, 32, 3], if the file has it.
    std::optional<std::vector<float>> mean() const;

    // Copies weights and running statistics into `parameters`. Throws InputError naming each tensor that is missing,
    // misshapen, of another type than F32 or BF16, or unknown (optimizer.* may be there or not).
    void load_into(Backend& backend, nn::Parameters& parameters) const;

  private:
    Checkpoint(std::filesystem::path path, SafetensorsFile file);
    std::vector<float> values(const std::string& name, const Shape& shape) const;

    std::filesystem::path path_;
    SafetensorsFile file_;
    std::optional<CheckpointInfo> info_;
};

}  // namespace engine
