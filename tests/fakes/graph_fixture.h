// A graph that the fake cuDNN accepts, built from descriptors. Tests start from it and break one rule each.
#pragma once

#include <cmath>
#include <optional>

#include "engine/backend/cuda/cudnn_descriptor.h"
#include "tests/fakes/fixture.h"

namespace fakes {

using residual::cuda::Descriptor;

// A tensor descriptor in NHWC, not finalised.
inline Descriptor open_tensor(int64_t id, const std::vector<int64_t>& nchw, cudnnDataType_t type = CUDNN_DATA_FLOAT) {
    Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
    tensor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, type);
    tensor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, nchw);
    tensor.set(CUDNN_ATTR_TENSOR_STRIDES, {nchw[1] * nchw[2] * nchw[3], int64_t{1}, nchw[1] * nchw[3], nchw[1]});
    tensor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, int64_t{16});
    return tensor;
}

inline Descriptor finalized(Descriptor descriptor) {
    descriptor.finalize();
    return descriptor;
}

// x [2, 5, 6, 3], w [4, 3, 3, 3], stride 2, padding 1 before and 0 after: y [2, 2, 3, 4]; float32. ids: x 1, w 2, y 3.
struct GraphFixture {
    StreamOwner stream;
    cudnnHandle_t cudnn = nullptr;
    Buffer x{ramp(2 * 5 * 6 * 3, -1, 0.25f)}, w{ramp(4 * 3 * 3 * 3, 0.5f, -0.125f)};
    Buffer y{std::vector<float>(2 * 2 * 3 * 4, NAN)};
    Buffer workspace{std::vector<float>(4096)};

    std::vector<int64_t> x_extents{2, 3, 5, 6}, w_extents{4, 3, 3, 3}, y_extents{2, 4, 2, 3};
    std::vector<int64_t> before{1, 1}, after{0, 0}, stride{2, 2}, dilation{1, 1};
    cudnnDataType_t x_type = CUDNN_DATA_FLOAT;
    // Which engine of the candidates runs.
    int64_t engine = 1;

    std::optional<Descriptor> xs, ws, ys, window, operation, graph, config, plan;

    GraphFixture() {
        REQUIRE(cudnnCreate(&cudnn) == CUDNN_STATUS_SUCCESS);
        REQUIRE(cudnnSetStream(cudnn, stream.get()) == CUDNN_STATUS_SUCCESS);
    }
    ~GraphFixture() { cudnnDestroy(cudnn); }
    GraphFixture(const GraphFixture&) = delete;
    GraphFixture& operator=(const GraphFixture&) = delete;

    Descriptor open_window() const {
        Descriptor open(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
        open.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
        open.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
        open.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, int64_t{2});
        open.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, dilation);
        open.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, stride);
        open.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, before);
        open.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, after);
        return open;
    }
    // The status of finalising the forward operation.
    cudnnStatus_t build_operation() {
        xs.emplace(finalized(open_tensor(1, x_extents, x_type)));
        ws.emplace(finalized(open_tensor(2, w_extents)));
        ys.emplace(finalized(open_tensor(3, y_extents)));
        window.emplace(finalized(open_window()));
        operation.emplace(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
        operation->set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, *xs);
        operation->set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, *ws);
        operation->set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, *ys);
        operation->set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, *window);
        operation->set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0f);
        operation->set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0f);
        return operation->try_finalize();
    }
    // The candidates of a heuristic.
    std::vector<Descriptor> configs(cudnnBackendHeurMode_t mode) {
        if (!graph) {
            REQUIRE(build_operation() == CUDNN_STATUS_SUCCESS);
            graph.emplace(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
            graph->set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, cudnn);
            const cudnnBackendDescriptor_t only = operation->get();
            REQUIRE(cudnnBackendSetAttribute(graph->get(), CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                             1, &only) == CUDNN_STATUS_SUCCESS);
            graph->finalize();
        }
        Descriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
        heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, *graph);
        heuristic.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
        heuristic.finalize();
        return heuristic.descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    }
    static int64_t engine_of(const Descriptor& config) {
        return config.descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR)
            .front()
            .value<int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
    }
    // Makes a plan for `engine`.
    void build_plan() {
        for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
            for (Descriptor& candidate : configs(mode)) {
                if (engine_of(candidate) == engine) config.emplace(std::move(candidate));
            }
        }
        REQUIRE(config);
        plan.emplace(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
        plan->set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, cudnn);
        plan->set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, *config);
        plan->finalize();
    }
    int64_t workspace_bytes() const { return plan->value<int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE); }

    cudnnStatus_t run(const std::vector<int64_t>& ids, const std::vector<void*>& pointers, void* space) {
        if (!plan) build_plan();
        Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
        pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids);
        pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, pointers);
        pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, space);
        pack.finalize();
        return cudnnBackendExecute(cudnn, plan->get(), pack.get());
    }
    cudnnStatus_t run(void* from, void* to) { return run({1, 2, 3}, {from, w.get(), to}, workspace.get()); }
    cudnnStatus_t run() { return run(x.get(), y.get()); }

    float expected_y(int n, int row, int column, int k) const {
        const auto of_x = x.values(), of_w = w.values();
        double sum = 0;
        for (int i = 0; i < 3; ++i)
            for (int j = 0; j < 3; ++j)
                for (int c = 0; c < 3; ++c) {
                    const int from_row = 2 * row - 1 + i, from_column = 2 * column - 1 + j;
                    if (from_row < 0 || from_row > 4 || from_column < 0 || from_column > 5) continue;
                    sum += double{of_x[((n * 5 + from_row) * 6 + from_column) * 3 + c]} *
                           of_w[((k * 3 + i) * 3 + j) * 3 + c];
                }
        return static_cast<float>(sum);
    }
};

}  // namespace fakes
