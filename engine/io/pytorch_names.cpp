#include "engine/io/pytorch_names.h"

#include <algorithm>
#include <string_view>

namespace residual {

std::string wrapper_prefix(std::span<const TensorView> tensors) {
    std::string prefix;
    const auto all_start_with = [&](const std::string& start) {
        return !tensors.empty() &&
               std::ranges::all_of(tensors, [&](const TensorView& tensor) { return tensor.name.starts_with(start); });
    };
    for (bool found = true; found;) {
        found = false;
        for (const char* wrapper : {"module.", "_orig_mod."}) {
            if (!all_start_with(prefix + wrapper)) continue;
            prefix += wrapper;
            found = true;
        }
    }
    return prefix;
}

bool is_batch_counter(const std::string& name, const std::set<std::string>& names) {
    constexpr std::string_view kCounter = "num_batches_tracked";
    return name.ends_with(kCounter) && names.contains(name.substr(0, name.size() - kCounter.size()) + "running_mean");
}

bool is_pytorch_resnet(std::span<const TensorView> tensors) {
    const std::string prefix = wrapper_prefix(tensors);
    const auto has = [&](const std::string& name) {
        return std::ranges::any_of(tensors, [&](const TensorView& tensor) { return tensor.name == prefix + name; });
    };
    return has("conv1.weight") && has("layer1.0.conv1.weight");
}

}  // namespace residual
