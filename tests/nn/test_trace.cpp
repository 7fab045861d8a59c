// Traces of forward passes.
#include "engine/nn/trace.h"

#include <algorithm>

#include "engine/ops/elementwise.h"
#include "engine/ops/loss.h"
#include "engine/ops/pool.h"
#include "tests/support/devices.h"
#include "tests/support/record.h"

using namespace residual;
using namespace test;

namespace {

using Names = std::vector<std::string>;

// A network for this test: a stem, three branches of which two share a weight, and a head.
class ThreeBranches final : public nn::Module {
  public:
    explicit ThreeBranches(nn::Parameters& parameters)
        : stem_(parameters, "stem", 3, 4, 3, 1, ops::Padding::kSame),
          shared_(parameters, "shared", 4, 8, 3, 2, ops::Padding::kSame),
          batch_norm_(parameters, "norm", 8),
          head_(parameters, "head", 8, 5) {}

    Variable forward(Context& context, const Variable& images) const override {
        const Variable x = stem_.forward(context, images, {}).y;
        const Variable a = shared_.forward(context, x, {}).y;
        const auto b = shared_.forward(context, ops::relu(context, x), {.want_stats = context.training});
        const Variable c = ops::shortcut(context, x, ShortcutKind::kAveragePool, 8);
        const Variable normalised = batch_norm_.forward(context, {b.y, b.stats}, true, c);
        const Variable sum = ops::add(context, a, normalised);
        return head_.forward(context, ops::global_average_pool(context, sum));
    }

  private:
    nn::Conv2d stem_, shared_;
    nn::BatchNorm batch_norm_;
    nn::Linear head_;
};

Names names_of(const Trace& trace) {
    Names names;
    for (const auto& operation : trace.operations()) names.push_back(operation.name);
    return names;
}

// "role:name", or "role:[shape]" if the value has no name. Sorted.
Names described(const Trace& trace, const std::vector<Trace::Operand>& operands) {
    Names all;
    for (const auto& operand : operands) {
        const auto& value = trace.value(operand);
        all.push_back(operand.role + ":" + (value.name.empty() ? value.shape.to_string() : value.name));
    }
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace

DEVICE_TEST_CASE("the trace of a network with three branches is complete", "[nn][trace]") {
    nn::Parameters parameters;
    const ThreeBranches network(parameters);
    parameters.allocate(backend, DType::kFloat32, 1);
    const Tensor images = backend.zeros({2, 6, 6, 3}, DType::kFloat32);
    const Trace trace = nn::trace_forward(backend, network, parameters, images, true);

    // Whether the batch norm computes the moments of its input, or the convolution before it.
    const bool in_one = backend.prefers_batch_norm_training();
    CHECK(names_of(trace) == Names{"conv", "conv", "relu", "conv", "shortcut",
                                   in_one ? "batch_norm_training" : "batch_norm", "add", "global_average_pool",
                                   "linear"});
    const auto& operations = trace.operations();
    const auto &stem = operations[0], &first = operations[1], &second = operations[3], &batch_norm = operations[5];
    CHECK(described(trace, stem.inputs) == Names{"weight:stem.weight", "x:[2, 6, 6, 3]"});
    CHECK(described(trace, stem.outputs) == Names{"y:[2, 6, 6, 4]"});
    CHECK(stem.attribute<int64_t>("stride") == 1);
    CHECK(stem.attribute<int64_t>("kernel") == 3);
    CHECK(first.attribute<int64_t>("stride") == 2);
    CHECK(first.attribute<int64_t>("pad_top") == 0);
    CHECK(first.attribute<int64_t>("pad_bottom") == 1);
    // A weight that is used twice is one value.
    CHECK(first.input("weight")->value == second.input("weight")->value);
    Names of_batch_norm{"beta:norm.bias",
                        "gamma:norm.weight",
                        "residual:[2, 3, 3, 8]",
                        "running_mean:norm.running_mean",
                        "running_variance:norm.running_var",
                        "x:[2, 3, 3, 8]"};
    Names of_second{"y:[2, 3, 3, 8]"};
    if (!in_one) {
        for (Names* names : {&of_batch_norm, &of_second}) {
            names->insert(names->end(), {"mean:[8]", "variance:[8]"});
            std::sort(names->begin(), names->end());
        }
        CHECK(batch_norm.input("mean")->value == second.output("mean")->value);
    }
    CHECK(described(trace, second.outputs) == of_second);
    CHECK(described(trace, batch_norm.inputs) == of_batch_norm);
    CHECK(batch_norm.attribute<bool>("relu"));
    CHECK(batch_norm.attribute<double>("epsilon") == double{1e-3f});
    CHECK(described(trace, operations[8].inputs) == Names{"bias:head.bias", "weight:head.weight", "x:[2, 8]"});

    // The branches start from one value and are added.
    const size_t x = stem.output("y")->value;
    CHECK(first.input("x")->value == x);
    CHECK(operations[2].input("x")->value == x);
    CHECK(second.input("x")->value == operations[2].output("y")->value);
    CHECK(operations[4].input("x")->value == x);
    CHECK(batch_norm.input("residual")->value == operations[4].output("y")->value);
    CHECK(operations[6].input("a")->value == first.output("y")->value);
    CHECK(operations[6].input("b")->value == batch_norm.output("y")->value);
    CHECK(operations[6].input("residual") == nullptr);
    CHECK(trace.input() == stem.input("x")->value);
    CHECK(trace.output() == operations[8].output("y")->value);
    for (const auto& value : trace.values()) CHECK(value.dtype == DType::kFloat32);
}

DEVICE_TEST_CASE("in evaluation a trace shows the running statistics as moments", "[nn][trace]") {
    nn::Parameters parameters;
    const ThreeBranches network(parameters);
    parameters.allocate(backend, DType::kFloat32, 1);
    const Tensor images = backend.zeros({2, 6, 6, 3}, DType::kFloat32);
    const Trace trace = nn::trace_forward(backend, network, parameters, images, false);
    const auto& batch_norm = trace.operations()[5];
    REQUIRE(batch_norm.name == "batch_norm");
    CHECK(trace.value(*batch_norm.input("mean")).name == "norm.running_mean");
    CHECK(trace.value(*batch_norm.input("variance")).name == "norm.running_var");
    CHECK(batch_norm.input("running_mean") == nullptr);
    CHECK(trace.operations()[3].output("mean") == nullptr);
}

DEVICE_TEST_CASE("tracing a training step does not change its bits", "[nn][trace]") {
    std::vector<std::vector<double>> gradients;
    for (const bool traced : {false, true}) {
        nn::Parameters parameters;
        const ThreeBranches network(parameters);
        parameters.allocate(backend, DType::kFloat32, 1);
        const Variable images(upload(backend, Random("images").uniform({2, 6, 6, 3}), DType::kFloat32), false);
        const std::vector<int32_t> labels{1, 4};
        Tape tape;
        Trace trace;
        Context context{backend, &tape, true, traced ? &trace : nullptr};
        const auto loss = ops::softmax_cross_entropy(context, network.forward(context, images),
                                                     backend.from_host(labels.data(), {2}));
        tape.backward(backend, loss.loss);
        gradients.push_back(download(backend, parameters.gradients()).values);
        CHECK(trace.operations().size() == (traced ? 10 : 0));
        if (traced) CHECK(trace.operations().back().name == "softmax_cross_entropy");
    }
    CHECK(gradients[0] == gradients[1]);
}

TEST_CASE("a trace tells a new variable from a destroyed one at the same address", "[nn][trace]") {
    const auto backend = make_cpu_backend();
    Trace trace;
    Context context{*backend, nullptr, false, &trace};
    for (int i = 0; i < 3; ++i) {
        // The variables of each iteration reuse the memory of the previous ones.
        const Variable x(backend->zeros({4}, DType::kFloat32), false);
        ops::relu(context, x);
    }
    CHECK(trace.values().size() == 6);
}
