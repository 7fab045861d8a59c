#include "engine/io/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <span>

#include "engine/io/channels.h"
#include "engine/io/pytorch_names.h"
#include "engine/io/tensor_values.h"

namespace residual {

using namespace checkpoint_names;

Checkpoint::Checkpoint(std::filesystem::path path, SafetensorsFile file, std::optional<CheckpointInfo> info)
    : path_(std::move(path)),
      file_(std::move(file)),
      info_(std::move(info)),
      prefix_(info_ ? "" : wrapper_prefix(file_.tensors())) {}

Checkpoint Checkpoint::read(const std::filesystem::path& path) {
    SafetensorsFile file = SafetensorsFile::read(path);
    auto info = checkpoint_info_of(path.string(), file.metadata(), file.tensors());
    return {path, std::move(file), std::move(info)};
}

const TensorView* Checkpoint::find(const std::string& name) const {
    const TensorView* view = file_.find(name);
    return view != nullptr ? view : file_.find(prefix_ + name);
}

std::vector<float> Checkpoint::values(const std::string& name, const Shape& shape) const {
    const TensorView* view = find(name);
    if (view == nullptr) throw InputError(fmt::format("{}: the tensor {} is missing", path_.string(), name));
    if (view->shape != file_shape(shape)) {
        throw InputError(fmt::format("{}: the tensor {} has the shape [{}], but the model needs {}", path_.string(),
                                     view->name, fmt::join(view->shape, ", "), channels_first(shape).to_string()));
    }
    if (info_ ? view->type != SafetensorsType::kF32 : !is_floating(view->type)) {
        throw InputError(fmt::format("{}: the tensor {} has the type {}, but only {} supported", path_.string(),
                                     view->name, name_of(view->type), info_ ? "F32 is" : "F16, BF16, F32 and F64 are"));
    }
    std::vector<float> values(shape.elements());
    for (size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>(element(*view, i));
        if (!std::isfinite(values[i])) {
            throw InputError(fmt::format("{}: the tensor {} holds {} at element {}, but all values must be finite{}",
                                         path_.string(), view->name, element(*view, i), i,
                                         view->type == SafetensorsType::kF64 ? " in single precision" : ""));
        }
    }
    return to_channels_last(values, shape);
}

std::optional<std::vector<float>> Checkpoint::mean(const Shape& image) const {
    if (find(kMean) == nullptr) return std::nullopt;
    return values(kMean, image);
}

void Checkpoint::check_names(const std::vector<std::string>& names) const {
    const std::set<std::string> known(names.begin(), names.end());
    const auto expected = [&](const std::string& name) {
        return known.contains(name) || name == kMean || name.starts_with(kOptimizerPrefix) ||
               (!info_ && is_batch_counter(name, known));
    };
    std::vector<std::string> unknown;
    for (const TensorView& tensor : file_.tensors()) {
        if (!expected(tensor.name) && !expected(tensor.name.substr(prefix_.size()))) unknown.push_back(tensor.name);
    }
    const auto missing = std::ranges::find_if(names, [&](const std::string& name) { return find(name) == nullptr; });
    if (missing == names.end() && unknown.empty()) return;
    if (missing == names.end()) {
        throw InputError(
            fmt::format("{}: the tensor {} is not part of this model; is it a checkpoint of another model?",
                        path_.string(), unknown.front()));
    }
    std::string message = fmt::format("{}: the tensor {} is missing", path_.string(), *missing);
    if (!unknown.empty()) {
        constexpr size_t kShown = 3;
        const size_t shown = std::min(kShown, unknown.size());
        message += fmt::format("; not part of this model: {}{}", fmt::join(std::span(unknown).first(shown), ", "),
                               unknown.size() > shown ? fmt::format(" and {} more", unknown.size() - shown) : "");
    }
    if (is_pytorch_resnet(file_.tensors())) {
        message += "; these are names of a PyTorch ResNet: convert the file with tools/import_weights.py";
    }
    throw InputError(message);
}

void Checkpoint::load_into(Backend& backend, nn::Parameters& parameters) const {
    std::vector<std::string> names;
    for (const auto& parameter : parameters.parameters()) names.push_back(parameter->name);
    for (const auto& buffer : parameters.buffers()) names.push_back(buffer->name);
    check_names(names);
    const auto load = [&](const std::string& name, const Tensor& to) {
        backend.upload(values(name, to.shape()).data(), to);
    };
    for (const auto& parameter : parameters.parameters()) load(parameter->name, parameter->weight);
    for (const auto& buffer : parameters.buffers()) load(buffer->name, buffer->value);
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
