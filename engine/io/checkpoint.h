// A network's state in one safetensors file.
//
// Tensors: every parameter and running statistic under its name, convolution weights as [out, in, kh, kw];
// `optimizer.momentum.<parameter>`; `data.mean` [channels, height, width], the per-pixel mean subtracted from every
// input. For the metadata see engine/io/checkpoint_info.h. Checkpoints are written by engine/io/snapshot.h.
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
    // Throws InputError if the file is not a safetensors file or is damaged (on a checksum mismatch it names the
    // tensor), FormatVersionError if the format version is unsupported. Files of other programs have no info().
    static Checkpoint read(const std::filesystem::path& path);

    const std::filesystem::path& path() const { return path_; }
    const std::optional<CheckpointInfo>& info() const { return info_; }
    // The per-pixel mean, `image` = [height, width, channels], if the file has one. Throws InputError if its shape
    // differs.
    std::optional<std::vector<float>> mean(const Shape& image) const;

    // Copies weights and running statistics into `parameters`. Throws InputError naming a tensor that is missing or
    // unknown (optimizer.* is ignored), or that has the wrong shape, a type other than F32, or a value that is not
    // finite. A file without info() may be a state dictionary of PyTorch: F16, BF16 and F64 are converted to float32,
    // num_batches_tracked is ignored, and all names may start with "module." or "_orig_mod.".
    void load_into(Backend& backend, nn::Parameters& parameters) const;

    // Copies the momenta; throws the same errors.
    void load_momenta_into(Backend& backend, nn::Parameters& parameters) const;

  private:
    Checkpoint(std::filesystem::path path, SafetensorsFile file, std::optional<CheckpointInfo> info);
    const TensorView* find(const std::string& name) const;
    void check_names(const std::vector<std::string>& names) const;
    std::vector<float> values(const std::string& name, const Shape& shape) const;

    std::filesystem::path path_;
    SafetensorsFile file_;
    std::optional<CheckpointInfo> info_;
    std::string prefix_;  // what the names in the file have in front of the model's names
};

// The step of a checkpoint, of which only the header is read and verified; empty for a file of another program. Throws
// the same errors as Checkpoint::read().
std::optional<int64_t> read_checkpoint_step(const std::filesystem::path& path);

}  // namespace residual
