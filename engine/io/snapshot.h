// A host copy of the training state at one step, from which a checkpoint is written.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/io/checkpoint_info.h"
#include "engine/nn/parameters.h"

namespace residual {

// Only the constructor, which copies, blocks training. write() reorders, checksums and writes the copy; it may run on
// another thread.
class Snapshot {
  public:
    // Copies all weights and momenta (8 bytes per parameter, two transfers) and running statistics (one transfer each).
    // `mean` is the per-pixel mean with the shape `image`, [height, width, channels].
    Snapshot(Backend& backend, const nn::Parameters& parameters, std::vector<float> mean, const Shape& image,
             CheckpointInfo info);
    Snapshot(Snapshot&&) noexcept = default;
    Snapshot& operator=(Snapshot&&) noexcept = default;

    int64_t step() const { return info_.step; }

    // The name of the first tensor that holds an infinity or a NaN; empty if there is none.
    std::string first_not_finite() const;

    // Writes the checkpoint (see engine/io/checkpoint.h) through an AtomicFile. Throws Error on failure.
    void write(const std::filesystem::path& path) const;

  private:
    struct Entry {
        std::string name;
        Shape shape;  // Channels last.
        const float* values;
    };

    CheckpointInfo info_;
    std::vector<float> weights_, momenta_, mean_;
    std::vector<std::vector<float>> statistics_;
    std::vector<Entry> entries_;
};

// About the size of a checkpoint of such a network: the tensors, and a header of average size.
int64_t checkpoint_bytes(const nn::Parameters& parameters, const Shape& image);

}  // namespace residual
