// The metadata of a checkpoint, stored in the header of its safetensors file:
//
//     format_version    3; version 2 can be read too
//     config            the resolved configuration of the run, JSON text
//     step              updates done
//     class_names       the names of the labels 0, 1, ..., JSON text ["...", ...]; absent in version 2
//     data_fingerprint  CRC-32 of the training records
//     test_accuracy     of these weights, 0 to 1; only if they were evaluated
//     environment       version of the program, device, and precision that wrote the file, for people; may be absent
//     rows              steps of the last metrics rows, and sums since then, JSON text (RowProgress)
//     checksums         CRC-32 of the bytes of each tensor, JSON text {name: eight hexadecimal digits}
//     checksum          CRC-32 of all the other entries
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

// The steps of the last metrics rows, and the sums that go into the next training row.
struct RowProgress {
    int64_t training = 0;     // Updates done at the last training row.
    int64_t evaluation = 0;   // Updates done at the last evaluation row.
    kernels::Metrics sums{};  // Over the updates since the last training row.
};

struct CheckpointInfo {
    std::string config{};
    int64_t step = 0;
    std::vector<std::string> class_names{};  // By label; empty if the file does not list them.
    uint32_t data_fingerprint = 0;
    std::optional<double> test_accuracy{};
    RowProgress rows{};
    std::string environment{};  // Version, device and precision, for people; empty if the file does not say.
};

using Metadata = std::map<std::string, std::string>;

// The file is intact, but its format version is not supported.
class FormatVersionError : public InputError {
  public:
    using InputError::InputError;
};

// The metadata of a file with these tensors.
Metadata metadata_of(const CheckpointInfo& info, std::span<const TensorView> tensors);

// Reads and verifies the metadata of the file `name`; empty if the file is not a checkpoint of this project. Throws
// FormatVersionError for an unsupported version, InputError for a checksum mismatch (it names the tensor) or a
// malformed entry.
std::optional<CheckpointInfo> checkpoint_info_of(const std::string& name, const Metadata& metadata,
                                                 std::span<const TensorView> tensors);

// Only the step, without verifying the tensors; the same result and errors otherwise.
std::optional<int64_t> checkpoint_step_of(const std::string& name, const Metadata& metadata);

// A CRC-32 as eight hexadecimal digits.
std::string checksum_text(uint32_t checksum);

}  // namespace residual
