#include "tools/run/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/backend/build_info.h"
#include "engine/train/device.h"
#include "models/registry.h"

namespace residual::tools {

Session::Session(const Experiment& wanted, const PlanLog& log) : Session(wanted, make_backend(wanted.train, log)) {}

Session::Session(const Experiment& wanted, std::unique_ptr<Backend> device)
    : experiment(wanted),
      data(data_format(wanted.data.format).description),
      backend(std::move(device)),
      model(models::make_model(parameters, wanted.model, data)) {
    parameters.allocate(*backend, activation_type(*backend, wanted.train.precision), wanted.train.seed);
}

std::string Session::description() const {
    int64_t count = 0;
    for (const auto& parameter : parameters.parameters()) count += parameter->shape.elements();
    return fmt::format("{}, {} parameters; {}; {}", experiment.model.title(), fmt::group_digits(count),
                       backend->description(), name_of(parameters.activations()));
}

std::string Session::environment() const {
    return fmt::format("Residual {}; {}; {}", version_and_commit(), backend->description(),
                       name_of(parameters.activations()));
}

Tensor Session::set_mean(const std::vector<float>& mean) {
    data.mean = mean;
    return backend->from_host(mean.data(), data.image_shape());
}

Trainer Session::trainer(std::span<const uint8_t> records, const Tensor& mean) {
    const auto& train = experiment.train;
    return {*backend,
            *model,
            parameters,
            Batches::shuffled(*backend, records, mean, static_cast<int>(train.batch_size), parameters.activations(),
                              experiment.data, train.seed),
            experiment.optimizer,
            experiment.schedule};
}

Batches Session::test_batches(std::span<const uint8_t> records, const Tensor& mean) const {
    const int64_t count = static_cast<int64_t>(records.size()) / data.record_bytes();
    const int64_t batch = std::min({experiment.train.batch_size, count, kLargestTestBatch});
    return Batches::in_order(*backend, records, mean, static_cast<int>(batch), parameters.activations());
}

Trace Session::trace(bool training) {
    const Tensor image = backend->zeros({1, data.height, data.width, data.channels}, parameters.activations());
    return nn::trace_forward(*backend, *model, parameters, image, training);
}

Experiment on_cpu(Experiment experiment) {
    experiment.train.device = DeviceChoice::cpu;
    experiment.train.precision = PrecisionChoice::fp32;
    experiment.train.kernels = KernelChoice::automatic;
    return experiment;
}

std::string text_override(const std::string& key, const std::string& text) {
    try {
        return key + "=" + nlohmann::json(text).dump();
    } catch (const nlohmann::json::exception&) {
        throw InputError(key + ": the value is not UTF-8");
    }
}

}  // namespace residual::tools
