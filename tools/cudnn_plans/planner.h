// Plans of the real cuDNN for described GPUs, made without a GPU (cuDNN frontend documentation, "Deviceless
// Ahead-of-time Compilation").
#pragma once

#include <string>
#include <vector>

#include "engine/backend/cuda/execution_plan.h"

namespace residual::tools {

// A GPU as cuDNN describes it (CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION).
struct DescribedGpu {
    std::string name;
    std::string properties;  // JSON
};

// The GPUs in the text of gpus.json. Throws InputError.
std::vector<DescribedGpu> gpus_from_json(const std::string& text);

struct FoundPlan {
    enum class Stage {
        finalized,  // The plan is complete.
        compiled,   // Its kernels are compiled; only loading them needs a driver. The workspace is not known yet.
        none,       // cuDNN has no plan that the options allow.
    };
    Stage stage;
    std::string name;             // of the candidate
    int64_t workspace_bytes = 0;  // if finalized
    std::string reason = {};      // if none: the failure of the last candidate
};

// The plan that GraphRunner would use on that GPU.
FoundPlan find_plan(const cuda::GraphKey& key, const DescribedGpu& gpu, const CudaOptions& options);

// Loads the toolkit's stub in place of libcuda.so.1, if there is no driver. To be called before the first plan.
void provide_libcuda();

}  // namespace residual::tools
