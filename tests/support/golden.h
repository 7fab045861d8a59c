// Reads the files of tests/golden (see its README.md), and builds a network in the initial state that a file stores.
#pragma once

#include <cstring>
#include <nlohmann/json.hpp>

#include "engine/io/channels.h"
#include "engine/io/safetensors.h"
#include "tests/catch.h"
#include "tests/support/relative_error.h"
#include "tests/support/session.h"
#include "tests/support/source_dir.h"

namespace test {

class GoldenFile {
  public:
    explicit GoldenFile(const std::string& name)
        : file_(residual::SafetensorsFile::read(source_dir() + "/tests/golden/" + name + ".safetensors")) {}

    bool has(const std::string& name) const { return file_.find(name) != nullptr; }

    // In file order: channels first.
    std::vector<float> values(const std::string& name) const {
        const residual::TensorView* view = file_.find(name);
        INFO(name);
        REQUIRE(view != nullptr);
        std::vector<float> values(view->data.size() / size_of(view->type));
        if (view->type == residual::SafetensorsType::kBF16) {
            std::vector<residual::bfloat16> narrow(values.size());
            std::memcpy(narrow.data(), view->data.data(), view->data.size());
            for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(narrow[i]);
        } else {
            REQUIRE(view->type == residual::SafetensorsType::kF32);
            std::memcpy(values.data(), view->data.data(), view->data.size());
        }
        return values;
    }

    std::vector<int32_t> labels() const {
        const residual::TensorView* view = file_.find("labels");
        REQUIRE((view != nullptr && view->type == residual::SafetensorsType::kI64));
        std::vector<int64_t> wide(view->data.size() / sizeof(int64_t));
        std::memcpy(wide.data(), view->data.data(), view->data.size());
        return {wide.begin(), wide.end()};
    }

    double number(const std::string& key) const { return std::stod(file_.metadata().at(key)); }
    nlohmann::json json(const std::string& key) const { return nlohmann::json::parse(file_.metadata().at(key)); }

    residual::models::ModelConfig model() const {
        const std::string text = "{\"model\": " + file_.metadata().at("model") + "}";
        return residual::tools::experiment_from_json(text, "golden").model;
    }

    residual::OptimizerConfig optimizer() const {
        const auto kind = file_.metadata().find("optimizer");
        const bool nesterov = kind != file_.metadata().end() && kind->second == "nesterov";
        return {.kind = nesterov ? residual::OptimizerKind::nesterov : residual::OptimizerKind::sgd,
                .momentum = number("momentum"),
                .weight_decay = number("weight_decay")};
    }

  private:
    residual::SafetensorsFile file_;
};

struct GoldenNetwork : residual::tools::Session {
    GoldenNetwork(std::unique_ptr<residual::Backend> device, const GoldenFile& golden,
                  residual::DType activations = residual::DType::kFloat32)
        : Session({.model = golden.model(), .train = {.precision = precision_of(activations)}}, std::move(device)) {
        for (const auto& parameter : parameters.parameters()) load(golden, parameter->name, parameter->weight);
        for (const auto& buffer : parameters.buffers()) load(golden, buffer->name, buffer->value);
        parameters.refresh_copies(*backend);

        const auto labels = golden.labels();
        const auto count = static_cast<int64_t>(labels.size());
        const residual::Shape shape{count, 32, 32, 3};
        const auto images = residual::to_channels_last(golden.values("input"), shape);
        batch = {backend->from_host(images.data(), shape), backend->from_host(labels.data(), {count})};
        if (activations != residual::DType::kFloat32) {
            const residual::Tensor narrow = backend->empty(shape, activations);
            backend->cast(batch.images, narrow);
            batch.images = narrow;
        }
    }

    void load(const GoldenFile& golden, const std::string& name, const residual::Tensor& to) {
        const auto values = residual::to_channels_last(golden.values("before." + name), to.shape());
        REQUIRE(static_cast<int64_t>(values.size()) == to.elements());
        backend->upload(values.data(), to);
    }

    // In file order: channels first.
    std::vector<float> read(const residual::Tensor& tensor) {
        std::vector<float> values(tensor.elements());
        backend->download(tensor, values.data());
        return residual::to_channels_first(values, tensor.shape());
    }

    residual::Batch batch;
};

}  // namespace test
