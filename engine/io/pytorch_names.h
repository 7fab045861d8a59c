// Names of tensors in the state dictionaries of PyTorch.
#pragma once

#include <set>
#include <span>
#include <string>

#include "engine/io/safetensors.h"

namespace residual {

// "module." (DataParallel), "_orig_mod." (torch.compile) or a sequence of them, if every name starts with it.
std::string wrapper_prefix(std::span<const TensorView> tensors);

// True if `name` is the counter that PyTorch stores beside a running mean, and the running mean is in `names`.
bool is_batch_counter(const std::string& name, const std::set<std::string>& names);

// True if the tensors are named as in the usual PyTorch definition of a ResNet: conv1, layer1.0.conv1, ...
bool is_pytorch_resnet(std::span<const TensorView> tensors);

}  // namespace residual
