#include "engine/io/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <set>
#include <span>

#include "engine/core/checksum.h"
#include "engine/io/channels.h"

namespace engine {

namespace {

constexpr int kFormatVersion = 1;
constexpr const char* kMeanName = "data.mean";
constexpr const char* kOptimizerPrefix = "optimizer.";
const Shape kMeanShape{32, 32, 3};

std::vector<int64_t> file_shape(const Shape& shape) {
    const Shape first = channels_first(shape);
    return {first.extents().begin(), first.extents().end()};
}

// Host copies of tensors, in the layout of the file.
class Snapshot {
  public:
    void add(const std::string& name, const Shape& shape, const std::vector<float>& values) {
        names_.push_back({name, file_shape(shape)});
        values_.push_back(to_channels_first(values, shape));
    }

    void add(Backend& backend, const std::string& name, const Tensor& tensor) {
        std::vector<float> values(tensor.elements());
        backend.download(tensor, values.data());
        add(name, tensor.shape(), values);
    }

    std::vector<TensorView> views() const {
        std::vector<TensorView> views;
        for (size_t i = 0; i < names_.size(); ++i) {
            views.push_back(
                {names_[i].first, SafetensorsType::kF32, names_[i].second, std::as_bytes(std::span(values_[i]))});
        }
        return views;
    }

  private:
    std::vector<std::pair<std::string, std::vector<int64_t>>> names_;
    std::vector<std::vector<float>> values_;
};

std::string hexadecimal(uint32_t value) {
    return fmt::format("{:08x}", value);
}

uint32_t checksum_of(const std::vector<TensorView>& tensors) {
    uint32_t sum = 0;
    for (const TensorView& tensor : tensors) sum = crc32_of(tensor.data, sum);
    return sum;
}

template <class Number>
Number number_in(const std::map<std::string, std::string>& metadata, const char* key, int base,
                 const std::filesystem::path& path) {
    const auto found = metadata.find(key);
    Number number{};
    if (found != metadata.end()) {
        const std::string& text = found->second;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
        if (error == std::errc() && end == text.data() + text.size()) return number;
    }
    throw InputError(fmt::format(
        "{}: the metadata \"{}\" is {}; the file was not written by this program or is damaged", path.string(), key,
        found == metadata.end() ? "missing" : "\"" + found->second + "\", not a number"));
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, Backend& backend, const nn::Parameters& parameters,
                     const std::vector<float>& mean, const CheckpointInfo& info) {
    Snapshot snapshot;
    for (const auto& parameter : parameters.parameters()) snapshot.add(backend, parameter->name, parameter->weight);
    for (const auto& buffer : parameters.buffers()) snapshot.add(backend, buffer->name, buffer->value);
    for (const auto& parameter : parameters.parameters()) {
        snapshot.add(backend, kOptimizerPrefix + ("momentum." + parameter->name), parameter->momentum);
    }
    snapshot.add(kMeanName, kMeanShape, mean);
    const auto views = snapshot.views();
    write_safetensors(path, views,
                      {{"format_version", std::to_string(kFormatVersion)},
                       {"config", info.config},
                       {"step", std::to_string(info.step)},
                       {"data_fingerprint", hexadecimal(info.data_fingerprint)},
                       {"checksum", hexadecimal(checksum_of(views))}});
}

Checkpoint::Checkpoint(std::filesystem::path path, SafetensorsFile file)
    : path_(std::move(path)), file_(std::move(file)) {}

Checkpoint Checkpoint::read(const std::filesystem::path& path) {
    Checkpoint checkpoint(path, SafetensorsFile::read(path));
    const auto& metadata = checkpoint.file_.metadata();
    if (!metadata.contains("format_version")) return checkpoint;

    const int version = number_in<int>(metadata, "format_version", 10, path);
    if (version > kFormatVersion) {
        throw InputError(
            fmt::format("{}: the file has format version {}, this program knows versions up to {}; use a "
                        "newer program",
                        path.string(), version, kFormatVersion));
    }
    const auto claimed = number_in<uint32_t>(metadata, "checksum", 16, path);
    const uint32_t found = checksum_of(checkpoint.file_.tensors());
    if (claimed != found) {
        throw InputError(
            fmt::format("{}: the checksum of the tensors is {}, but the file claims {}; the file is damaged, "
                        "use another checkpoint",
                        path.string(), hexadecimal(found), hexadecimal(claimed)));
    }
    const auto config = metadata.find("config");
    checkpoint.info_ = {config == metadata.end() ? "" : config->second, number_in<int64_t>(metadata, "step", 10, path),
                        number_in<uint32_t>(metadata, "data_fingerprint", 16, path)};
    return checkpoint;
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
        throw InputError(fmt::format("{}: the tensor {} has the type {}, but only F32 and BF16 can be read",
                                     path_.string(), name, name_of(view->type)));
    }
    return to_channels_last(values, shape);
}

std::optional<std::vector<float>> Checkpoint::mean() const {
    if (file_.find(kMeanName) == nullptr) return std::nullopt;
    return values(kMeanName, kMeanShape);
}

void Checkpoint::load_into(Backend& backend, nn::Parameters& parameters) const {
    std::set<std::string> known{kMeanName};
    const auto load = [&](const std::string& name, const Tensor& to) {
        backend.upload(values(name, to.shape()).data(), to);
        known.insert(name);
    };
    for (const auto& parameter : parameters.parameters()) load(parameter->name, parameter->weight);
    for (const auto& buffer : parameters.buffers()) load(buffer->name, buffer->value);
    for (const TensorView& tensor : file_.tensors()) {
        if (!known.contains(tensor.name) && !tensor.name.starts_with(kOptimizerPrefix)) {
            throw InputError(
                fmt::format("{}: the tensor {} is none of this model's; is it a checkpoint of another model?",
                            path_.string(), tensor.name));
        }
    }
    parameters.refresh_copies(backend);
}

}  // namespace engine
