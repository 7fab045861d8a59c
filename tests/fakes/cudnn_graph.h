// Operation graphs of the fake cuDNN, read from the descriptors that a caller has set.
#pragma once

#include <map>
#include <vector>

#include "tests/fakes/cudnn_objects.h"

namespace fakes {

// A tensor in NHWC: of extents [n, h, w, c].
struct GraphTensor {
    int64_t id;
    cudnnDataType_t type;
    int64_t n, c, h, w;
    bool is_virtual;  // exists only inside the graph
    bool by_value;    // a float in host memory

    size_t elements() const { return size_t(n) * size_t(h) * size_t(w) * size_t(c); }
    size_t bytes() const;
    bool same_extents(const GraphTensor& o) const { return n == o.n && c == o.c && h == o.h && w == o.w; }
};

// The window of a convolution.
struct Window {
    int64_t pre_h, pre_w, post_h, post_w, stride_h, stride_w, dilation_h, dilation_w;
};

struct GraphOperation {
    cudnnBackendDescriptorType_t type;
    cudnnPointwiseMode_t mode = CUDNN_POINTWISE_ADD;  // of a pointwise operation
    Window window = {};                               // of a convolution
    std::map<cudnnBackendAttributeName_t, GraphTensor> inputs, outputs;
};

using OperationList = std::vector<GraphOperation>;

// Each reads a descriptor and refuses what is missing, of another type or does not fit together. Layouts other than
// NHWC, which the fake does not have, throw Misuse.
GraphTensor tensor_of(const CudnnDescriptor& descriptor);
Window window_of(const CudnnDescriptor& descriptor);
cudnnPointwiseMode_t pointwise_mode_of(const CudnnDescriptor& descriptor);
GraphOperation operation_of(const CudnnDescriptor& descriptor);
// The operations in an order in which every input is computed before it is read.
OperationList graph_of(const CudnnDescriptor& descriptor);

}  // namespace fakes
