// How the engine chooses among the plans that cuDNN offers.
#include "engine/backend/backend.h"
#include "engine/backend/cuda/cuda_backend.h"
#include "tests/fakes/cudnn_engines.h"
#include "tests/fakes/fixture.h"
#include "tests/support/array.h"
#include "tests/support/environment.h"

using namespace residual;
using fakes::FailingEngines;

namespace {

const Conv2dParams kParams{2, 8, 8, 16, 16, 3, 1, 1, 1, 1, 1};

test::Array convolved(Backend& backend) {
    test::Random random("engine");
    const Tensor x = test::upload(backend, random.uniform(kParams.input_shape()), DType::kFloat32);
    const Tensor w = test::upload(backend, random.uniform(kParams.weight_shape()), DType::kFloat32);
    const Tensor y = backend.empty(kParams.output_shape(), DType::kFloat32);
    backend.conv2d(kParams, x, w, y);
    return test::download(backend, y);
}

// The line that the backend logs for the plan of a graph.
struct Log {
    std::vector<std::string> lines;
    CudaOptions with(CudaOptions options) {
        options.log = [this](const PlanChoice& choice) { lines.push_back(choice.text()); };
        return options;
    }
};

}  // namespace

TEST_CASE("a plan that cannot be made or started is skipped") {
    const test::Array expected = convolved(*make_cpu_backend());
    for (const bool deterministic : {true, false}) {
        for (const bool in_plan : {true, false}) {
            const FailingEngines failing({.engines = {1}, .in_plan = in_plan});
            Log log;
            const auto backend = make_cuda_backend(log.with({.deterministic = deterministic}));
            CHECK(test::relative_error(convolved(*backend), expected) <= 1e-5);
            CHECK_THAT(log.lines.at(0), ContainsSubstring("engine 0"));
        }
    }
}

TEST_CASE("a plan that fails when it first runs is skipped, unless the device is lost") {
    const FailingEngines failing({.engines = {1}, .status = CUDNN_STATUS_EXECUTION_FAILED});
    const test::Array expected = convolved(*make_cpu_backend());
    CHECK(test::relative_error(convolved(*make_cuda_backend({})), expected) <= 1e-5);
    const auto backend = make_cuda_backend({});
    const test::Environment lost("EMULATOR_FAILURES", "cudaStreamSynchronize=700");
    CHECK_THROWS_WITH(convolved(*backend), ContainsSubstring("cudaErrorIllegalAddress"));
    CHECK_THAT(fakes::refusals(), ContainsSubstring("FailingEngines"));
}

TEST_CASE("the workspaces of plans that were only timed are returned to the device") {
    const auto backend = make_cuda_backend({.deterministic = false, .allow_tf32 = true});
    convolved(*backend);
    CHECK(backend->arena().bytes_reserved() < size_t{48} << 20);
}

TEST_CASE("a convolution without a plan is an error") {
    const FailingEngines failing({.engines = {0, 1}});
    const auto backend = make_cuda_backend({});
    CHECK_THROWS_WITH(convolved(*backend),
                      ContainsSubstring("no deterministic plan for convolution forward, x [2, 8, 8, 16]") &&
                          ContainsSubstring("train.deterministic"));
}

TEST_CASE("the chosen plan is kept; if it fails later, that is an error") {
    const auto backend = make_cuda_backend({});
    convolved(*backend);
    const FailingEngines failing({.engines = {0, 1}});
    CHECK_THROWS_WITH(convolved(*backend), ContainsSubstring("CUDNN_STATUS_NOT_SUPPORTED"));
}

TEST_CASE("the log names engine, knobs and workspace of each graph once") {
    Log log;
    const auto backend = make_cuda_backend(log.with({}));
    convolved(*backend);
    convolved(*backend);
    REQUIRE(log.lines.size() == 1);
    CHECK_THAT(log.lines[0],
               ContainsSubstring("cuDNN convolution forward, x [2, 8, 8, 16], w [16, 3, 3, 16], stride 1, "
                                 "padding 1 1 1 1, float32: engine 1, knobs 2=3, workspace "));
}

TEST_CASE("TF32 plans are used only if allowed, plans with reduced precision never") {
    Log exact, rounded;
    convolved(*make_cuda_backend(exact.with({})));
    convolved(*make_cuda_backend(rounded.with({.allow_tf32 = true})));
    CHECK_THAT(exact.lines.at(0), ContainsSubstring("engine 1,"));
    CHECK_THAT(rounded.lines.at(0), ContainsSubstring("engine 13,"));
}

TEST_CASE("batch norm without a plan uses the project's own kernels") {
    for (const int64_t channels : {16, 5}) {
        Log log;
        const auto backend = make_cuda_backend(log.with({}));
        test::Random random("norm");
        const Shape shape{2, 4, 4, channels}, vector{channels};
        const auto values = random.uniform(shape);
        const auto of = [&](Backend& b) {
            const Tensor x = test::upload(b, values, DType::kFloat32), y = b.empty(shape, DType::kFloat32);
            const Tensor gamma = b.from_host(std::vector<float>(channels, 2).data(), vector);
            const Tensor beta = b.from_host(std::vector<float>(channels, 0.5f).data(), vector);
            b.batch_norm_training({{}, gamma, beta, 1e-3f, true}, {{}, 0}, x, {}, y);
            return test::download(b, y);
        };
        CHECK(test::relative_error(of(*backend), of(*make_cpu_backend())) <= 1e-5);
        CHECK_THAT(log.lines.at(0), ContainsSubstring("batch norm training, ReLU") &&
                                        ContainsSubstring(channels == 16 ? ": engine 0" : ": no plan"));
    }
}
