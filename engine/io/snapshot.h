// The state of a network in training, copied to the host at one step, and written from there.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/io/checkpoint_info.h"
#include "engine/nn/parameters.h"

namespace residual {

// Copying holds training up; everything else (the order of the elements, checksums, the disk) needs the copy alone and
// may run on another thread.
class Snapshot {
  public:
    // Copies every weight, running statistic and momentum: 8 bytes a parameter, in two transfers, and one for each
    // statistic. `mean`: of images of the shape `image`, [height, width, channels].
    Snapshot(Backend& backend, const nn::Parameters& parameters, std::vector<float> mean, const Shape& image,
             CheckpointInfo info);
    Snapshot(Snapshot&&) noexcept = default;
    Snapshot& operator=(Snapshot&&) noexcept = default;
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

    int64_t step() const { return info_.step; }

    // The first tensor that holds an infinity or a NaN; empty if all values are numbers.
    std::string first_not_finite() const;

    // Writes the checkpoint (see engine/io/checkpoint.h), complete or not at all. Error where that fails.
    void write(const std::filesystem::path& path) const;

  private:
    struct Entry {
        std::string name;
        Shape shape;  // As the engine has it, channels last.
        const float* values;
    };

    CheckpointInfo info_;
    std::vector<float> weights_, momenta_, mean_;
    std::vector<std::vector<float>> statistics_;
    std::vector<Entry> entries_;
};

}  // namespace residual
