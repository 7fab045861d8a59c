#include "engine/backend/cuda/graph_runner.h"

#include <fmt/format.h>

#include <limits>

#include "engine/backend/arena_scope.h"
#include "engine/backend/stopwatch.h"

namespace residual::cuda {

namespace {

bool is_capturing(cudaStream_t stream) {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    CUDA_CALL(cudaStreamIsCapturing(stream, &status));
    return status != cudaStreamCaptureStatusNone;
}

}  // namespace

GraphRunner::GraphRunner(Backend& backend, cudnnHandle_t cudnn, cudaStream_t stream, const CudaOptions& options)
    : backend_(backend), cudnn_(cudnn), stream_(stream), options_(options) {}

bool GraphRunner::run(const GraphKey& key, const std::vector<Operand>& operands) {
    if (const auto found = entries_.find(key); found != entries_.end()) {
        const std::optional<Plan>& plan = found->second.plan;
        if (plan) check(execute(*plan, operands), "cudnnBackendExecute");
        return plan.has_value();
    }
    OperationGraph graph(key, cudnn_);
    std::optional<Plan> plan = choose(key, graph, operands);
    if (options_.log) {
        options_.log({to_string(key),
                      plan ? fmt::format("{}, workspace {} bytes", plan->candidate.name, plan->workspace_bytes) : ""});
    }
    return entries_.emplace(key, Entry{std::move(graph), std::move(plan)}).first->second.plan.has_value();
}

// Queues the graph with the plan that it returns.
std::optional<Plan> GraphRunner::choose(const GraphKey& key, const OperationGraph& graph,
                                        const std::vector<Operand>& operands) {
    // Running a batch norm twice would update its running statistics twice.
    if (!options_.deterministic && std::holds_alternative<ConvolutionGraph>(key) && !is_capturing(stream_)) {
        std::optional<Plan> plan = fastest(key, graph, operands);
        if (plan) check(execute(*plan, operands), "cudnnBackendExecute");
        return plan;
    }
    for (Candidate& candidate : candidates_for(graph)) {
        if (std::optional<Plan> plan = started(key, std::move(candidate), operands)) return plan;
    }
    return std::nullopt;
}

std::optional<Plan> GraphRunner::started(const GraphKey& key, Candidate candidate,
                                         const std::vector<Operand>& operands) {
    if (!is_allowed(candidate, key, options_)) return std::nullopt;
    auto made = make_plan(std::move(candidate), cudnn_);
    if (const auto* status = std::get_if<cudnnStatus_t>(&made)) {
        require_device(*status, "cudnnBackendFinalize of a plan");
        return std::nullopt;
    }
    Plan& plan = std::get<Plan>(made);
    const cudnnStatus_t status = execute(plan, operands);
    if (status == CUDNN_STATUS_SUCCESS) return std::move(plan);
    require_device(status, "cudnnBackendExecute");
    return std::nullopt;
}

std::optional<Plan> GraphRunner::fastest(const GraphKey& key, const OperationGraph& graph,
                                         const std::vector<Operand>& operands) {
    constexpr int kTimed = 8, kRuns = 1;
    std::optional<Plan> best;
    double best_time = std::numeric_limits<double>::infinity();
    int timed = 0;
    for (Candidate& candidate : candidates_for(graph)) {
        if (timed == kTimed) break;
        // The workspace goes back to the device once the candidate has been timed.
        const ArenaScope workspaces(backend_, backend_.new_arena());
        try {
            std::optional<Plan> plan = started(key, std::move(candidate), operands);
            if (!plan) continue;
            ++timed;
            const auto stopwatch = make_cuda_stopwatch(backend_);
            stopwatch->start();
            for (int i = 0; i < kRuns; ++i) check(execute(*plan, operands), "cudnnBackendExecute");
            if (const double time = stopwatch->stop(); time < best_time) {
                best_time = time;
                best = std::move(plan);
            }
        } catch (const OutOfMemoryError&) {
            // Another plan may need less.
        }
    }
    return best;
}

// The workspace returns to the arena while the kernel is still running; its next user runs later on the same stream.
cudnnStatus_t GraphRunner::execute(const Plan& plan, const std::vector<Operand>& operands) {
    const Tensor workspace =
        plan.workspace_bytes > 0 ? backend_.empty({plan.workspace_bytes}, DType::kUInt8) : Tensor();
    std::vector<int64_t> ids;
    std::vector<void*> pointers;
    for (const auto& [slot, pointer] : operands) {
        ids.push_back(static_cast<int64_t>(slot));
        pointers.push_back(pointer);
    }
    Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids);
    pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, pointers);
    pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace.data());
    pack.finalize();
    return cudnnBackendExecute(cudnn_, plan.descriptor.get(), pack.get());
}

// After a failed kernel every call fails. A plan that was refused before it queued anything leaves the device intact.
void GraphRunner::require_device(cudnnStatus_t status, const char* call) {
    cudaGetLastError();  // otherwise the next launch would report it
    if (refused(status)) return;
    if (is_capturing(stream_)) check(status, call);
    CUDA_CALL(cudaStreamSynchronize(stream_));
}

std::vector<GraphKey> GraphRunner::graphs() const {
    std::vector<GraphKey> keys;
    for (const auto& [key, entry] : entries_) keys.push_back(key);
    return keys;
}

}  // namespace residual::cuda
