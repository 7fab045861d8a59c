// Which of cuDNN's candidates the engine uses. Needs cuDNN's header but no GPU.
#ifdef RESIDUAL_CUDA
#include "engine/backend/cuda/execution_plan.h"

#include "tests/catch.h"

using namespace residual;
using namespace residual::cuda;

namespace {

using Direction = ConvolutionGraph::Direction;

Candidate noted(std::vector<cudnnBackendNumericalNote_t> notes) {
    return {Descriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR), "engine 7", std::move(notes)};
}

GraphKey convolution(DType dtype) {
    return ConvolutionGraph{Direction::backward_weight, {2, 8, 8, 16, 16, 3, 1, 1, 1, 1, 1}, dtype};
}

const GraphKey kNorm =
    BatchNormGraph{BatchNormGraph::Pass::inference, 2, 8, 8, 16, DType::kFloat32, true, false, false};

}  // namespace

TEST_CASE("nondeterministic candidates are used only if allowed", "[backend]") {
    const Candidate candidate = noted({CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC});
    CHECK_FALSE(is_allowed(candidate, convolution(DType::kBFloat16), {}));
    CHECK(is_allowed(candidate, convolution(DType::kBFloat16), {.deterministic = false}));
}

TEST_CASE("candidates that sum in reduced precision are never used", "[backend]") {
    const Candidate candidate = noted({CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION});
    CHECK_FALSE(is_allowed(candidate, convolution(DType::kBFloat16), {.deterministic = false, .allow_tf32 = true}));
}

TEST_CASE("candidates that round float32 operands are used only if TF32 is allowed", "[backend]") {
    for (const auto note : {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS}) {
        const Candidate candidate = noted({note});
        CHECK_FALSE(is_allowed(candidate, convolution(DType::kFloat32), {}));
        CHECK(is_allowed(candidate, convolution(DType::kFloat32), {.allow_tf32 = true}));
        CHECK(is_allowed(candidate, convolution(DType::kBFloat16), {}));
        CHECK(is_allowed(candidate, kNorm, {}));
    }
}

TEST_CASE("the text of a graph names everything that its key has", "[backend]") {
    CHECK(to_string(GraphKey(
              ConvolutionGraph{Direction::backward_data, {2, 8, 6, 3, 16, 5, 2, 0, 1, 2, 3}, DType::kFloat32})) ==
          "convolution backward data, x [2, 8, 6, 3], w [16, 5, 5, 3], stride 2, padding 0 1 2 3, float32");
    CHECK(to_string(kNorm) == "batch norm inference, ReLU, x [2, 8, 8, 16], float32");
    CHECK(to_string(GraphKey(
              BatchNormGraph{BatchNormGraph::Pass::training, 2, 8, 8, 16, DType::kBFloat16, true, true, true})) ==
          "batch norm training, residual, ReLU, running statistics, x [2, 8, 8, 16], bfloat16");
}
#endif
