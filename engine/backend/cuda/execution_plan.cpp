#include "engine/backend/cuda/execution_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace residual::cuda {

namespace {

std::string name_of(const Descriptor& config, const Descriptor& engine) {
    std::string name = fmt::format("engine {}", engine.value<int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
    const auto knobs = config.descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
    if (!knobs.empty()) name += ", knobs";
    for (const Descriptor& knob : knobs) {
        name += fmt::format(" {}={}",
                            static_cast<int>(knob.value<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE)),
                            knob.value<int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE));
    }
    return name;
}

}  // namespace

std::vector<Candidate> candidates_for(const OperationGraph& graph, const Descriptor* device) {
    std::vector<Candidate> candidates;
    for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
        Descriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
        heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph.descriptor());
        heuristic.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
        if (device != nullptr) heuristic.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *device);
        const cudnnStatus_t status = heuristic.try_finalize();
        if (refused(status)) continue;
        check(status, "cudnnBackendFinalize of a heuristic");
        for (Descriptor& config :
             heuristic.descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)) {
            const auto engines = config.descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
            const Descriptor& engine = engines.front();
            std::string name = name_of(config, engine);
            auto notes = engine.values<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE);
            candidates.push_back({std::move(config), std::move(name), std::move(notes)});
        }
    }
    return candidates;
}

bool is_allowed(const Candidate& candidate, const GraphKey& key, const CudaOptions& options) {
    const auto notes = [&](cudnnBackendNumericalNote_t note) {
        return std::find(candidate.notes.begin(), candidate.notes.end(), note) != candidate.notes.end();
    };
    if (options.deterministic && notes(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) return false;
    if (notes(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)) return false;
    const auto* convolution = std::get_if<ConvolutionGraph>(&key);
    if (convolution == nullptr || convolution->dtype != DType::kFloat32) return true;
    // Tensor cores multiply float32 operands as TF32. cuDNN notes them also for pointwise engines, which do not.
    const bool rounds = notes(CUDNN_NUMERICAL_NOTE_TENSOR_CORE) || notes(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS);
    return options.allow_tf32 || !rounds;
}

std::variant<Plan, cudnnStatus_t> make_plan(Candidate candidate, cudnnHandle_t handle, const Descriptor* device) {
    Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    if (handle != nullptr) plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle);
    if (device != nullptr) plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *device);
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, candidate.config);
    if (const cudnnStatus_t status = plan.try_finalize(); status != CUDNN_STATUS_SUCCESS) return status;
    const auto bytes = plan.value<int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
    if (bytes > kWorkspaceLimit) return CUDNN_STATUS_NOT_SUPPORTED;
    return Plan{std::move(plan), std::move(candidate), bytes};
}

}  // namespace residual::cuda
