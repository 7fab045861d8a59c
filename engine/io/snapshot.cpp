#include "engine/io/snapshot.h"

#include <algorithm>
#include <bit>
#include <span>

#include "engine/io/channels.h"
#include "engine/io/checkpoint.h"

namespace residual {

namespace {

std::vector<float> host_copy(Backend& backend, const Tensor& tensor) {
    std::vector<float> values(static_cast<size_t>(tensor.elements()));
    backend.download(tensor, values.data());
    return values;
}

// The offset of a view in its flat array.
ptrdiff_t offset_in(const Tensor& flat, const Tensor& view) {
    return view.data<float>() - flat.data<float>();
}

bool all_finite(std::span<const float> values) {
    constexpr uint32_t kExponent = 0x7f800000;
    bool finite = true;
    for (const float value : values) finite &= (std::bit_cast<uint32_t>(value) & kExponent) != kExponent;
    return finite;
}

}  // namespace

Snapshot::Snapshot(Backend& backend, const nn::Parameters& parameters, std::vector<float> mean, const Shape& image,
                   CheckpointInfo info)
    : info_(std::move(info)),
      weights_(host_copy(backend, parameters.weights())),
      momenta_(host_copy(backend, parameters.momenta())),
      mean_(std::move(mean)) {
    RESIDUAL_ASSERT(static_cast<int64_t>(mean_.size()) == image.elements());
    for (const auto& parameter : parameters.parameters()) {
        const float* values = weights_.data() + offset_in(parameters.weights(), parameter->weight);
        entries_.push_back({parameter->name, parameter->shape, values});
    }
    for (const auto& buffer : parameters.buffers()) {
        statistics_.push_back(host_copy(backend, buffer->value));
        entries_.push_back({buffer->name, buffer->shape, statistics_.back().data()});
    }
    for (const auto& parameter : parameters.parameters()) {
        const float* values = momenta_.data() + offset_in(parameters.momenta(), parameter->momentum);
        entries_.push_back({checkpoint_names::momentum_of(parameter->name), parameter->shape, values});
    }
    entries_.push_back({checkpoint_names::kMean, image, mean_.data()});
}

std::string Snapshot::first_not_finite() const {
    const auto found = std::find_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
        return !all_finite({entry.values, static_cast<size_t>(entry.shape.elements())});
    });
    return found == entries_.end() ? "" : found->name;
}

void Snapshot::write(const std::filesystem::path& path) const {
    std::vector<std::vector<float>> values;
    std::vector<TensorView> views;
    for (const Entry& entry : entries_) {
        const std::vector<float> last(entry.values, entry.values + entry.shape.elements());
        values.push_back(to_channels_first(last, entry.shape));
        views.push_back(
            {entry.name, SafetensorsType::kF32, file_shape(entry.shape), std::as_bytes(std::span(values.back()))});
    }
    write_safetensors(path, views, metadata_of(info_, views));
}

int64_t checkpoint_bytes(const nn::Parameters& parameters, const Shape& image) {
    constexpr int64_t kHeader = 4096, kHeaderPerTensor = 192;
    int64_t bytes = kHeader;
    const auto add = [&](const Shape& shape, int64_t tensors) {
        bytes += tensors * (shape.elements() * static_cast<int64_t>(sizeof(float)) + kHeaderPerTensor);
    };
    for (const auto& parameter : parameters.parameters()) add(parameter->shape, 2);
    for (const auto& buffer : parameters.buffers()) add(buffer->shape, 1);
    add(image, 1);
    return bytes;
}

}  // namespace residual
