// Heuristics and plans of the fake cuDNN.
#include "tests/fakes/cudnn_engines.h"

#include <algorithm>

namespace fakes {
namespace {

EngineFailures& failures() {
    static auto* const current = new EngineFailures;
    return *current;
}

bool is_convolution(const GraphOperation& operation) {
    return operation.type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR ||
           operation.type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR ||
           operation.type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR;
}

bool is_pointwise(const GraphOperation& operation, cudnnPointwiseMode_t mode) {
    return operation.type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR && operation.mode == mode;
}

// The last engine that a heuristic of the real library offers is often the only one without tensor cores. The first
// ones here are those that a caller may have to leave out. Workspaces are never zero and not round.
std::vector<Engine> convolution_engines(const GraphOperation& operation) {
    size_t elements = 0;
    std::set<cudnnDataType_t> types;
    for (const auto* tensors : {&operation.inputs, &operation.outputs}) {
        for (const auto& [name, tensor] : *tensors) {
            elements += tensor.elements();
            types.insert(tensor.type);
        }
    }
    if (types.size() != 1) return {};
    const auto bytes = [&](int64_t engine) { return 1000 + 10 * engine + static_cast<int64_t>(elements / 64); };
    constexpr auto kTensorCore = CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
    std::vector<Engine> engines = {
        {11, {kTensorCore}, int64_t{1} << 30, false},
        {12, {kTensorCore, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION}, bytes(12), false},
        {13, {kTensorCore}, bytes(13), false},
        {14, {kTensorCore}, int64_t{48} << 20, false},
        {1, {}, bytes(1), true},
        {0, {CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP}, bytes(0), true},
    };
    if (operation.type != CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR) {
        engines.insert(engines.begin(), {10, {kTensorCore, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}, bytes(10), false});
        engines.push_back({20, {CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}, bytes(20), true});
    }
    return engines;
}

// An activation of the norm whose channels fill a whole number of 16 bytes.
bool is_vectorised(const GraphTensor& x) {
    return x.c * (x.type == CUDNN_DATA_FLOAT ? 4 : 2) % 16 == 0;
}

bool supports_training(const OperationList& operations) {
    if (!is_vectorised(operations[0].inputs.at(CUDNN_ATTR_OPERATION_NORM_FWD_XDESC))) return false;
    switch (operations.size()) {
        case 1:
            return true;
        case 2:
            return is_pointwise(operations[1], CUDNN_POINTWISE_RELU_FWD);
        case 3:
            return is_pointwise(operations[1], CUDNN_POINTWISE_ADD) &&
                   is_pointwise(operations[2], CUDNN_POINTWISE_RELU_FWD);
        default:
            return false;
    }
}

bool supports_backward(const OperationList& operations) {
    const GraphOperation& norm = operations.back();
    if (!is_vectorised(norm.inputs.at(CUDNN_ATTR_OPERATION_NORM_BWD_XDESC))) return false;
    if (operations.size() == 1) return true;
    return operations.size() == 3 && is_pointwise(operations[0], CUDNN_POINTWISE_CMP_GT) &&
           is_pointwise(operations[1], CUDNN_POINTWISE_MUL) &&
           norm.inputs.at(CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC).type ==
               norm.inputs.at(CUDNN_ATTR_OPERATION_NORM_BWD_XDESC).type;
}

Engine engine_at(const OperationList& operations, int64_t id) {
    for (const Engine& engine : engines_for(operations)) {
        if (engine.id == id) return engine;
    }
    throw Misuse("the graph has no engine " + std::to_string(id));
}

const CudnnDescriptor& graph_descriptor(cudnnBackendDescriptor_t graph) {
    return finalized_at(graph, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, "the graph");
}

// A finalised descriptor of the library's own, which the caller copies with cudnnBackendGetAttribute. It stays live
// until the process exits, as if the library had a copy in each heuristic.
cudnnBackendDescriptor_t own_descriptor(CudnnDescriptor content) {
    CudnnDescriptor* const created = cudnn_descriptors().create_kept();
    content.finalized = true;
    *created = std::move(content);
    return created;
}

cudnnBackendDescriptor_t config_of(cudnnBackendDescriptor_t graph, const Engine& engine) {
    CudnnDescriptor of_engine{.type = CUDNN_BACKEND_ENGINE_DESCRIPTOR};
    set_values<cudnnBackendDescriptor_t>(of_engine, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                         {graph});
    set_values<int64_t>(of_engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, {engine.id});
    set_values(of_engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, engine.notes);
    CudnnDescriptor config{.type = CUDNN_BACKEND_ENGINECFG_DESCRIPTOR};
    set_values<cudnnBackendDescriptor_t>(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                         {own_descriptor(std::move(of_engine))});
    CudnnDescriptor knob{.type = CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR};
    set_values<cudnnBackendKnobType_t>(knob, CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE,
                                       {CUDNN_KNOB_TYPE_TILE_SIZE});
    set_values<int64_t>(knob, CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, {3});
    set_values<cudnnBackendDescriptor_t>(config, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                         {own_descriptor(std::move(knob))});
    return own_descriptor(std::move(config));
}

}  // namespace

bool Engine::notes_that(cudnnBackendNumericalNote_t note) const {
    return std::find(notes.begin(), notes.end(), note) != notes.end();
}

SumOrder Engine::next_order() const {
    static unsigned runs = 0;
    return {id % 2 == 1, notes_that(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC) ? ++runs : 0};
}

std::vector<Engine> engines_for(const OperationList& operations) {
    if (operations.size() == 1 && is_convolution(operations[0])) return convolution_engines(operations[0]);
    const Engine norm{0, {}, 1000, false};
    if (operations.front().type == CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR) {
        return supports_training(operations) ? std::vector{norm} : std::vector<Engine>();
    }
    if (operations.back().type == CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR) {
        return supports_backward(operations) ? std::vector{norm} : std::vector<Engine>();
    }
    const bool all_pointwise = std::all_of(operations.begin(), operations.end(), [](const GraphOperation& operation) {
        return operation.type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR;
    });
    if (!all_pointwise) return {};
    return {{1, {CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, 0, false}};
}

void finalize_heuristic(CudnnDescriptor& descriptor) {
    const auto graph = value_of<cudnnBackendDescriptor_t>(descriptor, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH,
                                                          CUDNN_TYPE_BACKEND_DESCRIPTOR);
    const auto mode = value_of<cudnnBackendHeurMode_t>(descriptor, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE);
    if (mode != CUDNN_HEUR_MODE_A && mode != CUDNN_HEUR_MODE_FALLBACK) {
        throw Misuse("the fake cuDNN has only heuristic mode A and the fallback");
    }
    const CudnnDescriptor& of_graph = graph_descriptor(graph);
    if (!has(of_graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE)) throw Misuse("a graph without a handle runs nowhere");
    std::vector<cudnnBackendDescriptor_t> configs;
    for (const Engine& engine : engines_for(graph_of(of_graph))) {
        if (engine.is_fallback == (mode == CUDNN_HEUR_MODE_FALLBACK)) configs.push_back(config_of(graph, engine));
    }
    set_values(descriptor, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, configs);
}

std::pair<Engine, OperationList> content_of(const CudnnDescriptor& plan) {
    const CudnnDescriptor& config =
        part_of(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    const CudnnDescriptor& engine = part_of(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    OperationList operations = graph_of(graph_descriptor(
        value_of<cudnnBackendDescriptor_t>(engine, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR)));
    const auto id = value_of<int64_t>(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64);
    return {engine_at(operations, id), std::move(operations)};
}

void finalize_plan(CudnnDescriptor& descriptor) {
    cudnn_at(value_of<cudnnHandle_t>(descriptor, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE));
    const Engine engine = content_of(descriptor).first;
    require_working(engine.id, true);
    set_values<int64_t>(descriptor, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
                        {engine.workspace_bytes});
}

Operands operands_of(const CudnnDescriptor& descriptor) {
    const auto ids = values_of<int64_t>(descriptor, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64);
    const auto pointers = values_of<void*>(descriptor, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR);
    require(ids.size() == pointers.size(), CUDNN_STATUS_BAD_PARAM, "not one pointer for each unique id");
    Operands operands{.workspace = value_of<void*>(descriptor, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR)};
    for (size_t i = 0; i < ids.size(); ++i) {
        require(operands.pointers.emplace(ids[i], pointers[i]).second, CUDNN_STATUS_BAD_PARAM, "a unique id twice");
    }
    return operands;
}

FailingEngines::FailingEngines(EngineFailures current) {
    failures() = std::move(current);
}
FailingEngines::~FailingEngines() {
    failures() = {};
}
void require_working(int64_t engine, bool in_plan) {
    if (in_plan == failures().in_plan && failures().engines.count(engine) > 0) {
        refuse(failures().status, "refused because of FailingEngines");
    }
}

}  // namespace fakes
