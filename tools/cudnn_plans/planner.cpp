#include "tools/cudnn_plans/planner.h"

#include <dlfcn.h>

#include <array>
#include <nlohmann/json.hpp>

#include "engine/core/error.h"

namespace residual::tools {

std::vector<DescribedGpu> gpus_from_json(const std::string& text) {
    std::vector<DescribedGpu> gpus;
    try {
        const auto json = nlohmann::json::parse(text);
        for (const auto& gpu : json.at("gpus")) {
            auto properties = json.at("common");
            properties.update(gpu);
            gpus.push_back({gpu.at("deviceName").get<std::string>(), properties.dump()});
        }
    } catch (const nlohmann::json::exception& error) {
        throw InputError(std::string("the list of GPUs cannot be read: ") + error.what());
    }
    return gpus;
}

FoundPlan find_plan(const cuda::GraphKey& key, const DescribedGpu& gpu, const CudaOptions& options) {
    cuda::Descriptor device(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
    device.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION,
               std::vector<char>(gpu.properties.begin(), gpu.properties.end()));
    device.finalize();
    const cuda::OperationGraph graph(key, nullptr);
    std::string reason = "no engine";
    for (cuda::Candidate& candidate : cuda::candidates_for(graph, &device)) {
        if (!cuda::is_allowed(candidate, key, options)) {
            reason = "no deterministic engine of full precision";
            continue;
        }
        const std::string name = candidate.name;
        const auto made = cuda::make_plan(std::move(candidate), nullptr, &device);
        if (const auto* plan = std::get_if<cuda::Plan>(&made)) {
            return {FoundPlan::Stage::finalized, name, plan->workspace_bytes};
        }
        const auto status = std::get<cudnnStatus_t>(made);
        std::array<char, 512> details{};
        cudnnGetLastErrorString(details.data(), details.size());
        reason = std::string(cudnnGetErrorString(status)) + ": " + details.data();
        if (status == CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER && reason.find("cuLibraryLoadData") != reason.npos) {
            return {FoundPlan::Stage::compiled, name};
        }
    }
    return {FoundPlan::Stage::none, "", 0, reason};
}

void provide_libcuda() {
    if (dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL) != nullptr) return;
    // Later searches for libcuda.so.1 find it by the name that it contains.
    if (dlopen(CUDA_STUB, RTLD_NOW | RTLD_GLOBAL) != nullptr) return;
    throw InputError(std::string("neither a driver nor the toolkit's stub of it is installed: ") + dlerror());
}

}  // namespace residual::tools
