// A network's state in one safetensors file.
//
// Tensors: every parameter and running statistic by its name, convolution weights as [out, in, kh, kw];
// `optimizer.momentum.<parameter>`; `data.mean` [channels, height, width], the per-pixel mean subtracted from every
// input. The metadata is described in engine/io/checkpoint_info.h. A snapshot (engine/io/snapshot.h) writes such a
// file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/checkpoint_info.h"
#include "engine/io/safetensors.h"
#include "engine/nn/parameters.h"

namespace residual {

namespace checkpoint_names {

inline constexpr const char* kMean = "data.mean";
inline constexpr const char* kOptimizerPrefix = "optimizer.";

inline std::string momentum_of(const std::string& parameter) {
    return kOptimizerPrefix + ("momentum." + parameter);
}

}  // namespace checkpoint_names

class Checkpoint {
  public:
    // Throws InputError if the file is not a safetensors file or damaged (a checksum does not fit: it names the
    // tensor), FormatVersionError if it was made by another version of the format. A file from elsewhere has no info().
    static Checkpoint read(const std::filesystem::path& path);

    const std::filesystem::path& path() const { return path_; }
    const std::optional<CheckpointInfo>& info() const { return info_; }
    // The per-pixel mean of images of the shape [height, width, channels], if the file has one. Throws InputError where
    // it is of another shape.
    std::optional<std::vector<float>> mean(const Shape& image) const;

    // Copies weights and running statistics into `parameters`. Throws InputError naming each tensor that is missing,
    // misshapen, of another type than F32 or BF16, not finite, or unknown (optimizer.* may be there or not).
    void load_into(Backend& backend, nn::Parameters& parameters) const;

    // Copies the momenta, likewise; a missing one is an error.
    void load_momenta_into(Backend& backend, nn::Parameters& parameters) const;

  private:
    Checkpoint(std::filesystem::path path, SafetensorsFile file, std::optional<CheckpointInfo> info);
    std::vector<float> values(const std::string& name, const Shape& shape) const;

    std::filesystem::path path_;
    SafetensorsFile file_;
    std::optional<CheckpointInfo> info_;
};

}  // namespace residual
