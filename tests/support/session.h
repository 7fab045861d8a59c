// What tests ask of a network that was built from a configuration.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/run/session.h"

namespace test {

inline engine::PrecisionChoice precision_of(engine::DType activations) {
    return activations == engine::DType::kBFloat16 ? engine::PrecisionChoice::bf16 : engine::PrecisionChoice::fp32;
}

// What a step changes and the next one reads: weights (and their copies in the activations' type), momenta, running
// statistics.
inline std::vector<engine::Tensor> state_of(const engine::nn::Parameters& parameters) {
    std::vector<engine::Tensor> tensors = {parameters.weights(), parameters.momenta()};
    if (parameters.copies().defined()) tensors.push_back(parameters.copies());
    for (const auto& buffer : parameters.buffers()) tensors.push_back(buffer->value);
    return tensors;
}

inline std::vector<std::vector<uint8_t>> bytes_of(engine::Backend& backend,
                                                  const std::vector<engine::Tensor>& tensors) {
    std::vector<std::vector<uint8_t>> bytes;
    for (const auto& tensor : tensors) backend.download(tensor, bytes.emplace_back(tensor.bytes()).data());
    return bytes;
}

}  // namespace test
