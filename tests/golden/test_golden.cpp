// The engine against PyTorch in float64: whole networks, evaluation, first step, ten steps. See README.md.
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "engine/io/channels.h"
#include "engine/io/safetensors.h"
#include "engine/train/trainer.h"
#include "models/registry.h"
#include "tests/catch.h"
#include "tests/support/relative_error.h"
#include "tests/support/source_dir.h"
#include "tools/experiment.h"

namespace {

using test::relative_error;

using engine::Shape;
using engine::Tensor;

struct Golden {
    const char* name;
    double logits, loss, gradient;  // relative L2 error allowed
};

constexpr double kTight = 1e-4;

// Full depth as README.md derives it; full_resnet56 stores its gradients in bfloat16.
const Golden kCases[] = {
    {"depth8_preact", 1e-5, 1e-5, kTight},
    {"depth8_plain", 1e-5, 1e-5, kTight},
    {"depth8_postact", 1e-5, 1e-5, kTight},
    {"depth8_postact_projection", 1e-5, 1e-5, kTight},
    {"depth8_preact_projection", 1e-5, 1e-5, kTight},
    {"depth8_preact_subsample", 1e-5, 1e-5, kTight},
    {"full_resnet20", 1e-5, 1e-5, 1e-3},
    {"full_plain20", 1e-5, 1e-5, 1e-3},
    {"full_postact20", 1e-5, 1e-5, 1e-3},
    {"full_resnet56", 1e-5, 1e-5, 5e-3},
};

class GoldenFile {
  public:
    explicit GoldenFile(const std::string& name)
        : file_(engine::SafetensorsFile::read(test::source_dir() + "/tests/golden/" + name + ".safetensors")) {}

    bool has(const std::string& name) const { return file_.find(name) != nullptr; }

    // In the order of the file (channels first).
    std::vector<float> values(const std::string& name) const {
        const engine::TensorView* view = file_.find(name);
        INFO(name);
        REQUIRE(view != nullptr);
        std::vector<float> values(view->data.size() / size_of(view->type));
        if (view->type == engine::SafetensorsType::kBF16) {
            std::vector<engine::bfloat16> narrow(values.size());
            std::memcpy(narrow.data(), view->data.data(), view->data.size());
            for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(narrow[i]);
        } else {
            REQUIRE(view->type == engine::SafetensorsType::kF32);
            std::memcpy(values.data(), view->data.data(), view->data.size());
        }
        return values;
    }

    std::vector<int32_t> labels() const {
        const engine::TensorView* view = file_.find("labels");
        REQUIRE((view != nullptr && view->type == engine::SafetensorsType::kI64));
        std::vector<int64_t> wide(view->data.size() / sizeof(int64_t));
        std::memcpy(wide.data(), view->data.data(), view->data.size());
        return {wide.begin(), wide.end()};
    }

    double number(const std::string& key) const { return std::stod(file_.metadata().at(key)); }

    models::ModelConfig model() const {
        const std::string text = "{\"model\": " + file_.metadata().at("model") + "}";
        return tools::experiment_from_json(text, "golden").model;
    }

  private:
    engine::SafetensorsFile file_;
};

// A network with the state that the file begins from.
struct Network {
    Network(std::unique_ptr<engine::Backend> device, const GoldenFile& golden)
        : backend(std::move(device)), model(models::make_model(parameters, golden.model())) {
        parameters.allocate(*backend, engine::DType::kFloat32, 0);
        for (const auto& parameter : parameters.parameters()) load(golden, parameter->name, parameter->weight);
        for (const auto& buffer : parameters.buffers()) load(golden, buffer->name, buffer->value);

        const auto labels = golden.labels();
        const auto count = static_cast<int64_t>(labels.size());
        const Shape shape{count, 32, 32, 3};
        const auto pictures = engine::to_channels_last(golden.values("input"), shape);
        batch = {backend->from_host(pictures.data(), shape), backend->from_host(labels.data(), {count})};
    }

    void load(const GoldenFile& golden, const std::string& name, const Tensor& to) {
        const auto values = engine::to_channels_last(golden.values("before." + name), to.shape());
        REQUIRE(static_cast<int64_t>(values.size()) == to.elements());
        backend->upload(values.data(), to);
    }

    // In the order of a file.
    std::vector<float> read(const Tensor& tensor) {
        std::vector<float> values(tensor.elements());
        backend->download(tensor, values.data());
        return engine::to_channels_first(values, tensor.shape());
    }

    std::unique_ptr<engine::Backend> backend;
    engine::nn::Parameters parameters;
    std::unique_ptr<engine::nn::Module> model;
    engine::Batch batch;
};

void check_case(std::unique_ptr<engine::Backend> backend, const Golden& allowed) {
    INFO(allowed.name);
    const GoldenFile golden(allowed.name);
    Network network(std::move(backend), golden);
    engine::Backend& device = *network.backend;
    auto& parameters = network.parameters;

    engine::Context evaluation{device, nullptr, false};
    const auto logits = network.model->forward(evaluation, engine::Variable(network.batch.images, false));
    CHECK(relative_error(network.read(logits.value()), golden.values("logits.eval")) <= allowed.logits);

    const engine::OptimizerConfig config{.momentum = golden.number("momentum"),
                                         .weight_decay = golden.number("weight_decay")};
    // The first update, at rate 0, shows the gradient and leaves the weights.
    engine::ScheduleConfig schedule;
    schedule.boundaries = {1};
    schedule.values = {0, golden.number("learning_rate")};
    engine::Sgd optimizer(device, parameters, config, schedule);
    const auto batch = static_cast<int>(network.batch.labels.elements());
    const int steps = golden.has("after10.head.weight") ? static_cast<int>(golden.number("steps")) : 1;
    for (int step = 0; step < steps; ++step) {
        engine::Totals totals(device);
        engine::compute_gradients(device, *network.model, parameters, network.batch, totals.sums());
        if (step == 0) {
            optimizer.update(batch, totals.sums());
            const auto averages = totals.take();
            const auto loss = static_cast<float>(averages.cross_entropy + averages.weight_penalty);
            CHECK(relative_error(std::vector{loss}, golden.values("loss.first")) <= allowed.loss);
            // The first momentum is the gradient with weight decay, as the update saw it.
            for (const auto& parameter : parameters.parameters()) {
                INFO(parameter->name);
                CHECK(relative_error(network.read(parameter->momentum), golden.values("grad." + parameter->name)) <=
                      allowed.gradient);
            }
            device.fill_zero(parameters.momenta());
        }
        optimizer.update(batch);
    }
    if (steps == 1) return;
    for (const auto& parameter : parameters.parameters()) {
        INFO(parameter->name);
        CHECK(relative_error(network.read(parameter->weight), golden.values("after10." + parameter->name)) <= kTight);
        CHECK(relative_error(network.read(parameter->momentum), golden.values("after10.momentum." + parameter->name)) <=
              kTight);
    }
    for (const auto& buffer : parameters.buffers()) {
        INFO(buffer->name);
        CHECK(relative_error(network.read(buffer->value), golden.values("after10." + buffer->name)) <= kTight);
    }
}

}  // namespace

TEST_CASE("Networks agree with PyTorch's float64 on the CPU") {
    const bool library_norm = GENERATE(false, true);
    INFO("batch norm by " << (library_norm ? "oneDNN" : "own kernels"));
    for (const Golden& golden : kCases) check_case(engine::make_cpu_backend({.library_norm = library_norm}), golden);
}

TEST_CASE("Networks agree with PyTorch's float64 on the GPU", "[gpu]") {
    if (const std::string reason = engine::why_no_cuda(); !reason.empty()) {
        WARN("skipped: no GPU (" << reason << ")");
        return;
    }
    for (const Golden& golden : kCases) check_case(engine::make_cuda_backend({}), golden);
}
