// Helpers for tests of a network that was built from a configuration.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/run/session.h"

namespace test {

inline residual::PrecisionChoice precision_of(residual::DType activations) {
    return activations == residual::DType::kBFloat16 ? residual::PrecisionChoice::bf16
                                                     : residual::PrecisionChoice::fp32;
}

// The state that one step passes to the next: weights (and their copies in the activations' type), momenta, running
// statistics.
inline std::vector<residual::Tensor> state_of(const residual::nn::Parameters& parameters) {
    std::vector<residual::Tensor> tensors = {parameters.weights(), parameters.momenta()};
    if (parameters.copies().defined()) tensors.push_back(parameters.copies());
    for (const auto& buffer : parameters.buffers()) tensors.push_back(buffer->value);
    return tensors;
}

inline std::vector<std::vector<uint8_t>> bytes_of(residual::Backend& backend,
                                                  const std::vector<residual::Tensor>& tensors) {
    std::vector<std::vector<uint8_t>> bytes;
    for (const auto& tensor : tensors) backend.download(tensor, bytes.emplace_back(tensor.bytes()).data());
    return bytes;
}

}  // namespace test
