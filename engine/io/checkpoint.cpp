#include "engine/io/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <span>

#include "engine/io/channels.h"

namespace residual {

using namespace checkpoint_names;

Checkpoint::Checkpoint(std::filesystem::path path, SafetensorsFile file, std::optional<CheckpointInfo> info)
    : path_(std::move(path)), file_(std::move(file)), info_(std::move(info)) {}

Checkpoint Checkpoint::read(const std::filesystem::path& path) {
    SafetensorsFile file = SafetensorsFile::read(path);
    auto info = checkpoint_info_of(path.string(), file.metadata(), file.tensors());
    return {path, std::move(file), std::move(info)};
}

std::vector<float> Checkpoint::values(const std::string& name, const Shape& shape) const {
    const TensorView* view = file_.find(name);
    if (view == nullptr) throw InputError(fmt::format("{}: the tensor {} is missing", path_.string(), name));
    if (view->shape != file_shape(shape)) {
        throw InputError(fmt::format("{}: the tensor {} has the shape [{}], but the model needs {}", path_.string(),
                                     name, fmt::join(view->shape, ", "), channels_first(shape).to_string()));
    }
    std::vector<float> values(shape.elements());
    if (view->type == SafetensorsType::kF32) {
        std::memcpy(values.data(), view->data.data(), view->data.size());
    } else if (view->type == SafetensorsType::kBF16) {
        std::vector<bfloat16> narrow(values.size());
        std::memcpy(narrow.data(), view->data.data(), view->data.size());
        std::transform(narrow.begin(), narrow.end(), values.begin(), [](bfloat16 x) { return static_cast<float>(x); });
    } else {
        throw InputError(fmt::format("{}: the tensor {} has the type {}, but only F32 and BF16 are supported",
                                     path_.string(), name, name_of(view->type)));
    }
    const auto bad = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
    if (bad != values.end()) {
        throw InputError(fmt::format("{}: the tensor {} holds {} at element {}, but all values must be finite",
                                     path_.string(), name, *bad, bad - values.begin()));
    }
    return to_channels_last(values, shape);
}

std::optional<std::vector<float>> Checkpoint::mean(const Shape& image) const {
    if (file_.find(kMean) == nullptr) return std::nullopt;
    return values(kMean, image);
}

void Checkpoint::load_into(Backend& backend, nn::Parameters& parameters) const {
    std::set<std::string> known{kMean};
    const auto load = [&](const std::string& name, const Tensor& to) {
        backend.upload(values(name, to.shape()).data(), to);
        known.insert(name);
    };
    for (const auto& parameter : parameters.parameters()) load(parameter->name, parameter->weight);
    for (const auto& buffer : parameters.buffers()) load(buffer->name, buffer->value);
    for (const TensorView& tensor : file_.tensors()) {
        if (!known.contains(tensor.name) && !tensor.name.starts_with(kOptimizerPrefix)) {
            throw InputError(
                fmt::format("{}: the tensor {} is not part of this model; is it a checkpoint of another model?",
                            path_.string(), tensor.name));
        }
    }
    parameters.refresh_copies(backend);
}

void Checkpoint::load_momenta_into(Backend& backend, nn::Parameters& parameters) const {
    for (const auto& parameter : parameters.parameters()) {
        backend.upload(values(momentum_of(parameter->name), parameter->shape).data(), parameter->momentum);
    }
}

std::optional<int64_t> read_checkpoint_step(const std::filesystem::path& path) {
    return checkpoint_step_of(path.string(), read_safetensors_metadata(path));
}

}  // namespace residual
