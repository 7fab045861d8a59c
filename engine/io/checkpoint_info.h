// What a checkpoint says of itself, beside its tensors: the metadata of its safetensors file.
//
//     format_version    the number of this format
//     config            the resolved configuration of the run, JSON text
//     step              updates done
//     class_names       of the labels 0, 1, ..., JSON text ["...", ...]; not in version 2
//     data_fingerprint  CRC-32 of the training records
//     test_accuracy     of these weights, 0 to 1; only where they were evaluated
//     rows              how far the metrics were written, and what the next training row goes on from, JSON text
//     checksums         CRC-32 of the bytes of each tensor, JSON text {name: eight hexadecimal digits}
//     checksum          CRC-32 of all the lines above
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/io/safetensors.h"
#include "kernels/metrics.h"

namespace residual {

// Which rows of the metrics stand before a step, and what the next training row goes on from.
struct RowProgress {
    int64_t training = 0;     // Updates done at the last training row.
    int64_t evaluation = 0;   // Likewise of an evaluation.
    kernels::Metrics sums{};  // Of the updates since the last training row.
};

struct CheckpointInfo {
    std::string config{};
    int64_t step = 0;
    std::vector<std::string> class_names{};  // By label; empty: of a file that does not say them.
    uint32_t data_fingerprint = 0;
    std::optional<double> test_accuracy{};
    RowProgress rows{};
};

using Metadata = std::map<std::string, std::string>;

// The file is whole, but of a version of the format that this program does not read.
class FormatVersionError : public InputError {
  public:
    using InputError::InputError;
};

// `tensors`: all of the file.
Metadata metadata_of(const CheckpointInfo& info, std::span<const TensorView> tensors);

// The same backwards, for a file called `name`; nothing where the metadata is not of a checkpoint. FormatVersionError
// for another version; InputError where a checksum does not fit (it names the tensor) or a line is not as described.
std::optional<CheckpointInfo> checkpoint_info_of(const std::string& name, const Metadata& metadata,
                                                 std::span<const TensorView> tensors);

// Eight hexadecimal digits, as the file shows a CRC-32.
std::string checksum_text(uint32_t checksum);

}  // namespace residual
