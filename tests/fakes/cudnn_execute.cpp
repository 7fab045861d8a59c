// Running the plans of the fake cuDNN: the operations of the graph, one after another.
#include <cmath>
#include <optional>

#include "tests/fakes/cudnn_loops.h"

namespace fakes {
namespace {

Storage storage_of(cudnnDataType_t type) {
    return type == CUDNN_DATA_FLOAT ? Storage::kFloat32 : Storage::kBFloat16;
}

// One run of a plan, with the values of the scalars when it was queued.
struct Run {
    OperationList operations;
    Engine engine;
    Operands operands;
    SumOrder order;
    std::map<int64_t, float> scalars;
};

// The arrays that the graph writes, or those that it only reads.
std::vector<DeviceArray> arrays_of(const Run& run, bool outputs) {
    std::map<int64_t, DeviceArray> arrays;
    std::set<int64_t> computed;
    for (const GraphOperation& operation : run.operations) {
        for (const auto& [name, tensor] : operation.outputs) computed.insert(tensor.id);
        for (const auto& [name, tensor] : outputs ? operation.outputs : operation.inputs) {
            if (tensor.is_virtual || tensor.by_value || (!outputs && computed.count(tensor.id) > 0)) continue;
            arrays[tensor.id] = {outputs ? "an output" : "an input", run.operands.pointers.at(tensor.id),
                                 tensor.bytes()};
        }
    }
    std::vector<DeviceArray> list;
    for (const auto& [id, array] : arrays) list.push_back(array);
    return list;
}

// Running statistics may be updated in place.
bool updates_in_place(const Run& run, const DeviceArray& output) {
    for (const GraphOperation& operation : run.operations) {
        for (const auto name : {CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_MEAN_DESC,
                                CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_VAR_DESC}) {
            const auto found = operation.outputs.find(name);
            if (found != operation.outputs.end() && run.operands.pointers.at(found->second.id) == output.pointer) {
                return true;
            }
        }
    }
    return false;
}

// Called when the plan is queued and again when it runs, which may be later, in a graph replay.
void require_arrays(const Run& run) {
    std::vector<DeviceArray> others = arrays_of(run, false);
    if (run.engine.workspace_bytes > 0) {
        const DeviceArray workspace{"the workspace", run.operands.workspace, size_t(run.engine.workspace_bytes)};
        require_array(workspace);
        require_disjoint(workspace, others);
        others.push_back(workspace);
    }
    for (const DeviceArray& input : others) require_array(input);
    for (const DeviceArray& output : arrays_of(run, true)) {
        require_array(output);
        if (!updates_in_place(run, output)) require_disjoint(output, others);
        others.push_back(output);
    }
}

// The values of the tensors during a run.
class Tensors {
  public:
    explicit Tensors(const Run& run) : run_(run) {}

    const std::vector<float>& at(const GraphTensor& tensor) {
        const auto found = values_.find(tensor.id);
        if (found != values_.end()) return found->second;
        std::vector<float>& values = values_[tensor.id];
        if (tensor.by_value) {
            values = {run_.scalars.at(tensor.id)};
        } else {
            values = read_array(run_.operands.pointers.at(tensor.id), storage_of(tensor.type), tensor.elements());
        }
        return values;
    }

    // Rounds to the type of the tensor; writes it to memory unless it is virtual.
    void set(const GraphTensor& tensor, std::vector<float> values) {
        if (tensor.type == CUDNN_DATA_BFLOAT16) round_to_bfloat16(values);
        if (!tensor.is_virtual) {
            write_array(run_.operands.pointers.at(tensor.id), storage_of(tensor.type), values, {1, 0});
        }
        values_[tensor.id] = std::move(values);
    }

  private:
    const Run& run_;
    std::map<int64_t, std::vector<float>> values_;
};

// The value that `tensor`, broadcast to the extents of y, has at element i of y.
size_t broadcast_index(const GraphTensor& tensor, const GraphTensor& y, size_t i) {
    const size_t c = i % size_t(y.c), w = i / size_t(y.c) % size_t(y.w), h = i / size_t(y.c * y.w) % size_t(y.h),
                 n = i / size_t(y.c * y.w * y.h);
    const auto along = [](int64_t extent, size_t at) { return extent == 1 ? 0 : at; };
    return ((along(tensor.n, n) * size_t(tensor.h) + along(tensor.h, h)) * size_t(tensor.w) + along(tensor.w, w)) *
               size_t(tensor.c) +
           along(tensor.c, c);
}

float apply(cudnnPointwiseMode_t mode, float a, float b) {
    switch (mode) {
        case CUDNN_POINTWISE_ADD:
            return a + b;
        case CUDNN_POINTWISE_SUB:
            return a - b;
        case CUDNN_POINTWISE_MUL:
            return a * b;
        case CUDNN_POINTWISE_RSQRT:
            return 1 / std::sqrt(a);
        case CUDNN_POINTWISE_RELU_FWD:
            return a > 0 ? a : 0;
        case CUDNN_POINTWISE_CMP_GT:
            return a > b ? 1.0f : 0.0f;
        default:
            throw Misuse("an unknown pointwise mode");
    }
}

void run_pointwise(const GraphOperation& operation, Tensors& tensors) {
    const GraphTensor& y = operation.outputs.at(CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
    const GraphTensor& a = operation.inputs.at(CUDNN_ATTR_OPERATION_POINTWISE_XDESC);
    const auto b = operation.inputs.find(CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
    const bool binary = b != operation.inputs.end();
    const std::vector<float>& of_a = tensors.at(a);
    const std::vector<float> none;
    const std::vector<float>& of_b = binary ? tensors.at(b->second) : none;
    std::vector<float> result(y.elements());
    for (size_t i = 0; i < result.size(); ++i) {
        result[i] =
            apply(operation.mode, of_a[broadcast_index(a, y, i)], binary ? of_b[broadcast_index(b->second, y, i)] : 0);
    }
    tensors.set(y, std::move(result));
}

ConvolutionGeometry geometry_of(const GraphTensor& x, const GraphTensor& w, const GraphTensor& y,
                                const Window& window) {
    const auto as_int = [](int64_t value) { return static_cast<int>(value); };
    return {.n = as_int(x.n),
            .h = as_int(x.h),
            .w = as_int(x.w),
            .c = as_int(x.c),
            .k = as_int(w.n),
            .kernel_h = as_int(w.h),
            .kernel_w = as_int(w.w),
            .out_h = as_int(y.h),
            .out_w = as_int(y.w),
            .pad_h = as_int(window.pre_h),
            .pad_w = as_int(window.pre_w),
            .stride_h = as_int(window.stride_h),
            .stride_w = as_int(window.stride_w),
            .dilation_h = as_int(window.dilation_h),
            .dilation_w = as_int(window.dilation_w)};
}

// Tensor cores round float32 operands to TF32. A reduction in reduced precision loses half of its bits.
void run_convolution(const GraphOperation& operation, const Run& run, Tensors& tensors) {
    const auto operand = [&](cudnnBackendAttributeName_t name) {
        std::vector<float> values = tensors.at(operation.inputs.at(name));
        if (run.engine.notes_that(CUDNN_NUMERICAL_NOTE_TENSOR_CORE)) round_to_tf32(values);
        return values;
    };
    const auto finish = [&](const GraphTensor& output, std::vector<float> result) {
        if (run.engine.notes_that(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)) round_to_bfloat16(result);
        tensors.set(output, std::move(result));
    };
    switch (operation.type) {
        case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR: {
            constexpr auto kX = CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                           kW = CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W;
            const GraphTensor& y = operation.outputs.at(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y);
            const auto g = geometry_of(operation.inputs.at(kX), operation.inputs.at(kW), y, operation.window);
            return finish(y, convolve(g, operand(kX), operand(kW), run.order));
        }
        case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR: {
            constexpr auto kDy = CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                           kW = CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W;
            const GraphTensor& dx = operation.outputs.at(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX);
            const auto g = geometry_of(dx, operation.inputs.at(kW), operation.inputs.at(kDy), operation.window);
            return finish(dx, convolve_backward_data(g, operand(kW), operand(kDy), run.order));
        }
        default: {
            constexpr auto kX = CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                           kDy = CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY;
            const GraphTensor& dw = operation.outputs.at(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW);
            const auto g = geometry_of(operation.inputs.at(kX), dw, operation.inputs.at(kDy), operation.window);
            return finish(dw, convolve_backward_filter(g, operand(kX), operand(kDy), run.order));
        }
    }
}

void run_norm_forward(const GraphOperation& operation, Tensors& tensors) {
    const auto input = [&](cudnnBackendAttributeName_t name) { return tensors.at(operation.inputs.at(name)); };
    const auto output = [&](cudnnBackendAttributeName_t name, const std::vector<float>& values) {
        tensors.set(operation.outputs.at(name), values);
    };
    const BatchNormResult result =
        normalise(input(CUDNN_ATTR_OPERATION_NORM_FWD_XDESC), input(CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC),
                  input(CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC), input(CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC)[0]);
    output(CUDNN_ATTR_OPERATION_NORM_FWD_YDESC, result.y);
    output(CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC, result.mean);
    output(CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC, result.inverse_std);
    if (operation.inputs.count(CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC) == 0) return;
    const float share = input(CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC)[0];
    const auto update = [&](cudnnBackendAttributeName_t from, cudnnBackendAttributeName_t to,
                            const std::vector<float>& batch) {
        std::vector<float> running = input(from);
        for (size_t i = 0; i < running.size(); ++i) running[i] = (1 - share) * running[i] + share * batch[i];
        output(to, running);
    };
    update(CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_MEAN_DESC,
           CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_MEAN_DESC, result.mean);
    update(CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_VAR_DESC, CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_VAR_DESC,
           result.unbiased_variance);
}

void run_norm_backward(const GraphOperation& operation, Tensors& tensors) {
    const auto input = [&](cudnnBackendAttributeName_t name) { return tensors.at(operation.inputs.at(name)); };
    const BatchNormGradients gradients = normalise_backward(
        input(CUDNN_ATTR_OPERATION_NORM_BWD_XDESC), input(CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC),
        input(CUDNN_ATTR_OPERATION_NORM_BWD_SCALE_DESC), input(CUDNN_ATTR_OPERATION_NORM_BWD_MEAN_DESC),
        input(CUDNN_ATTR_OPERATION_NORM_BWD_INV_VARIANCE_DESC));
    tensors.set(operation.outputs.at(CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC), gradients.dx);
    tensors.set(operation.outputs.at(CUDNN_ATTR_OPERATION_NORM_BWD_DSCALE_DESC), gradients.dgamma);
    tensors.set(operation.outputs.at(CUDNN_ATTR_OPERATION_NORM_BWD_DBIAS_DESC), gradients.dbeta);
}

void run_all(const Run& run) {
    require_arrays(run);
    if (run.engine.workspace_bytes > 0) fill_with_garbage(run.operands.workspace, size_t(run.engine.workspace_bytes));
    Tensors tensors(run);
    for (const GraphOperation& operation : run.operations) {
        switch (operation.type) {
            case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
                run_pointwise(operation, tensors);
                break;
            case CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR:
                run_norm_forward(operation, tensors);
                break;
            case CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR:
                run_norm_backward(operation, tensors);
                break;
            default:
                run_convolution(operation, run, tensors);
        }
    }
}

// Every tensor in memory needs a pointer; the values of scalars are read now.
void require_operands(Run& run) {
    size_t used = 0;
    std::set<int64_t> seen;
    for (const GraphOperation& operation : run.operations) {
        for (const auto* tensors : {&operation.inputs, &operation.outputs}) {
            for (const auto& [name, tensor] : *tensors) {
                if (tensor.is_virtual || !seen.insert(tensor.id).second) continue;
                const auto found = run.operands.pointers.find(tensor.id);
                require(found != run.operands.pointers.end(), CUDNN_STATUS_BAD_PARAM,
                        "the tensor " + std::to_string(tensor.id) + " has no pointer");
                require_pointer(found->second, "a pointer in the variant pack");
                if (tensor.by_value) run.scalars[tensor.id] = *static_cast<const float*>(found->second);
                ++used;
            }
        }
    }
    require(used == run.operands.pointers.size(), CUDNN_STATUS_BAD_PARAM,
            "the variant pack has a pointer that the graph does not use");
}

}  // namespace
}  // namespace fakes

using namespace fakes;

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack) {
    return status_of(__func__, [&] {
        const cudaStream_t stream = live_stream(cudnn_at(handle));
        auto [engine, operations] = content_of(finalized_at(plan, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, "the plan"));
        Run run{std::move(operations),
                engine,
                operands_of(finalized_at(pack, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, "the variant pack")),
                engine.next_order(),
                {}};
        require_operands(run);
        require_arrays(run);
        require_working(engine.id, false);
        queue(stream, "cudnnBackendExecute", [run = std::move(run)] { run_all(run); });
    });
}
