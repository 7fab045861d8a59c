// Reading operation graphs from descriptors.
#include "tests/fakes/cudnn_graph.h"

#include <set>

namespace fakes {
namespace {

using Names = std::vector<cudnnBackendAttributeName_t>;

void read_tensors(const CudnnDescriptor& descriptor, const Names& names,
                  std::map<cudnnBackendAttributeName_t, GraphTensor>& to) {
    for (const auto name : names) to[name] = tensor_of(part_of(descriptor, name, CUDNN_BACKEND_TENSOR_DESCRIPTOR));
}

void require_factor(const CudnnDescriptor& descriptor, cudnnBackendAttributeName_t name, float expected) {
    if (value_of<float>(descriptor, name, CUDNN_TYPE_FLOAT) != expected) {
        throw Misuse("the fake cuDNN has only alpha = 1 and beta = 0");
    }
}

void require_extents(const GraphTensor& tensor, const GraphTensor& expected, const char* what) {
    require(tensor.same_extents(expected), CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, what);
}

int64_t out_extent(int64_t in, int64_t kernel, int64_t pre, int64_t post, int64_t stride, int64_t dilation) {
    return (in + pre + post - (dilation * (kernel - 1) + 1)) / stride + 1;
}

struct ConvolutionAttributes {
    cudnnBackendAttributeName_t x, w, y, window, alpha, beta, output;
};

GraphOperation convolution(const CudnnDescriptor& descriptor, const ConvolutionAttributes& a) {
    GraphOperation operation{.type = descriptor.type};
    operation.window = window_of(part_of(descriptor, a.window, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR));
    require_factor(descriptor, a.alpha, 1);
    require_factor(descriptor, a.beta, 0);
    for (const auto name : {a.x, a.w, a.y}) {
        read_tensors(descriptor, {name}, name == a.output ? operation.outputs : operation.inputs);
    }
    const auto at = [&](cudnnBackendAttributeName_t name) {
        return name == a.output ? operation.outputs.at(name) : operation.inputs.at(name);
    };
    const GraphTensor x = at(a.x), w = at(a.w), y = at(a.y);
    const Window& window = operation.window;
    require(w.c == x.c, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "w and x differ in input channels");
    require(w.n == y.c, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "w and y differ in output channels");
    require(x.n == y.n, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "x and y differ in batch size");
    const int64_t out_h = out_extent(x.h, w.h, window.pre_h, window.post_h, window.stride_h, window.dilation_h);
    const int64_t out_w = out_extent(x.w, w.w, window.pre_w, window.post_w, window.stride_w, window.dilation_w);
    require(out_h == y.h && out_w == y.w, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH,
            "y is " + std::to_string(y.h) + "x" + std::to_string(y.w) + ", the convolution gives " +
                std::to_string(out_h) + "x" + std::to_string(out_w));
    return operation;
}

GraphOperation pointwise(const CudnnDescriptor& descriptor) {
    GraphOperation operation{.type = descriptor.type};
    operation.mode = pointwise_mode_of(
        part_of(descriptor, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, CUDNN_BACKEND_POINTWISE_DESCRIPTOR));
    const bool binary = operation.mode != CUDNN_POINTWISE_RELU_FWD && operation.mode != CUDNN_POINTWISE_RSQRT;
    read_tensors(descriptor, {CUDNN_ATTR_OPERATION_POINTWISE_XDESC}, operation.inputs);
    if (binary) read_tensors(descriptor, {CUDNN_ATTR_OPERATION_POINTWISE_BDESC}, operation.inputs);
    read_tensors(descriptor, {CUDNN_ATTR_OPERATION_POINTWISE_YDESC}, operation.outputs);
    const GraphTensor& y = operation.outputs.at(CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
    for (const auto& [name, input] : operation.inputs) {
        const bool fits = (input.n == y.n || input.n == 1) && (input.c == y.c || input.c == 1) &&
                          (input.h == y.h || input.h == 1) && (input.w == y.w || input.w == 1);
        require(fits, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "an input does not broadcast to the output");
    }
    return operation;
}

void require_per_channel(const GraphOperation& operation, const GraphTensor& x,
                         const std::set<cudnnBackendAttributeName_t>& whole) {
    const GraphTensor channels{0, CUDNN_DATA_FLOAT, 1, x.c, 1, 1, false, false};
    for (const auto* tensors : {&operation.inputs, &operation.outputs}) {
        for (const auto& [name, tensor] : *tensors) {
            if (whole.count(name) > 0) {
                require_extents(tensor, x, "an activation of the norm has other extents than x");
            } else if (!tensor.by_value) {
                require_extents(tensor, channels, "a parameter of the norm is not one number for each channel of x");
                require(tensor.type == CUDNN_DATA_FLOAT, CUDNN_STATUS_BAD_PARAM, "a parameter is not float32");
            }
        }
    }
}

GraphOperation norm_forward(const CudnnDescriptor& descriptor) {
    const auto mode =
        value_of<cudnnBackendNormMode_t>(descriptor, CUDNN_ATTR_OPERATION_NORM_FWD_MODE, CUDNN_TYPE_NORM_MODE);
    const auto phase = value_of<cudnnBackendNormFwdPhase_t>(descriptor, CUDNN_ATTR_OPERATION_NORM_FWD_PHASE,
                                                            CUDNN_TYPE_NORM_FWD_PHASE);
    if (mode != CUDNN_BATCH_NORM || phase != CUDNN_NORM_FWD_TRAINING) {
        throw Misuse("the fake cuDNN has only batch norm in training");
    }
    GraphOperation operation{.type = descriptor.type};
    read_tensors(descriptor,
                 {CUDNN_ATTR_OPERATION_NORM_FWD_XDESC, CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC,
                  CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC, CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC},
                 operation.inputs);
    read_tensors(descriptor,
                 {CUDNN_ATTR_OPERATION_NORM_FWD_YDESC, CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC,
                  CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC},
                 operation.outputs);
    if (has(descriptor, CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC)) {
        read_tensors(
            descriptor,
            {CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC, CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_MEAN_DESC,
             CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_VAR_DESC},
            operation.inputs);
        read_tensors(descriptor,
                     {CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_MEAN_DESC,
                      CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_VAR_DESC},
                     operation.outputs);
    }
    require_per_channel(operation, operation.inputs.at(CUDNN_ATTR_OPERATION_NORM_FWD_XDESC),
                        {CUDNN_ATTR_OPERATION_NORM_FWD_XDESC, CUDNN_ATTR_OPERATION_NORM_FWD_YDESC});
    return operation;
}

GraphOperation norm_backward(const CudnnDescriptor& descriptor) {
    if (value_of<cudnnBackendNormMode_t>(descriptor, CUDNN_ATTR_OPERATION_NORM_BWD_MODE, CUDNN_TYPE_NORM_MODE) !=
        CUDNN_BATCH_NORM) {
        throw Misuse("the fake cuDNN has only batch norm");
    }
    GraphOperation operation{.type = descriptor.type};
    read_tensors(descriptor,
                 {CUDNN_ATTR_OPERATION_NORM_BWD_XDESC, CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC,
                  CUDNN_ATTR_OPERATION_NORM_BWD_MEAN_DESC, CUDNN_ATTR_OPERATION_NORM_BWD_INV_VARIANCE_DESC,
                  CUDNN_ATTR_OPERATION_NORM_BWD_SCALE_DESC},
                 operation.inputs);
    read_tensors(descriptor,
                 {CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC, CUDNN_ATTR_OPERATION_NORM_BWD_DSCALE_DESC,
                  CUDNN_ATTR_OPERATION_NORM_BWD_DBIAS_DESC},
                 operation.outputs);
    require_per_channel(operation, operation.inputs.at(CUDNN_ATTR_OPERATION_NORM_BWD_XDESC),
                        {CUDNN_ATTR_OPERATION_NORM_BWD_XDESC, CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC,
                         CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC});
    return operation;
}

}  // namespace

size_t GraphTensor::bytes() const {
    return elements() * (type == CUDNN_DATA_FLOAT ? 4 : type == CUDNN_DATA_BFLOAT16 ? 2 : 1);
}

GraphTensor tensor_of(const CudnnDescriptor& descriptor) {
    const auto dims = values_of<int64_t>(descriptor, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64);
    const auto strides = values_of<int64_t>(descriptor, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64);
    require(dims.size() == 4 && strides.size() == 4, CUDNN_STATUS_BAD_PARAM, "a tensor does not have four axes");
    for (const int64_t extent : dims) require(extent > 0, CUDNN_STATUS_BAD_PARAM, "an extent is not positive");
    const auto type = value_of<cudnnDataType_t>(descriptor, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE);
    if (type != CUDNN_DATA_FLOAT && type != CUDNN_DATA_BFLOAT16 && type != CUDNN_DATA_BOOLEAN) {
        throw Misuse("the fake cuDNN has no data type " + std::to_string(type));
    }
    require(value_of<int64_t>(descriptor, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64) == 16,
            CUDNN_STATUS_BAD_PARAM, "the alignment of a tensor is not 16 bytes");
    const auto flag = [&](cudnnBackendAttributeName_t name) {
        return has(descriptor, name) && value_of<char>(descriptor, name, CUDNN_TYPE_BOOLEAN) != 0;
    };
    const GraphTensor tensor{.id = value_of<int64_t>(descriptor, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64),
                             .type = type,
                             .n = dims[0],
                             .c = dims[1],
                             .h = dims[2],
                             .w = dims[3],
                             .is_virtual = flag(CUDNN_ATTR_TENSOR_IS_VIRTUAL),
                             .by_value = flag(CUDNN_ATTR_TENSOR_IS_BY_VALUE)};
    const std::vector<int64_t> nhwc = {tensor.h * tensor.w * tensor.c, 1, tensor.w * tensor.c, tensor.c};
    if (strides != nhwc) throw Misuse("the fake cuDNN has only tensors in NHWC");
    return tensor;
}

Window window_of(const CudnnDescriptor& descriptor) {
    require(value_of<int64_t>(descriptor, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64) == 2,
            CUDNN_STATUS_BAD_PARAM, "the convolution does not have two spatial axes");
    if (value_of<cudnnDataType_t>(descriptor, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE) !=
            CUDNN_DATA_FLOAT ||
        value_of<cudnnConvolutionMode_t>(descriptor, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE) !=
            CUDNN_CROSS_CORRELATION) {
        throw Misuse("the fake cuDNN has only cross-correlation computed in float32");
    }
    const auto pair = [&](cudnnBackendAttributeName_t name, int64_t least) {
        const auto values = values_of<int64_t>(descriptor, name, CUDNN_TYPE_INT64);
        require(values.size() == 2, CUDNN_STATUS_BAD_PARAM, "not one value for each spatial axis");
        require(values[0] >= least && values[1] >= least, CUDNN_STATUS_BAD_PARAM,
                "a padding is negative, or a stride or dilation is not positive");
        return values;
    };
    const auto pre = pair(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 0), post = pair(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 0);
    const auto stride = pair(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, 1);
    const auto dilation = pair(CUDNN_ATTR_CONVOLUTION_DILATIONS, 1);
    return {pre[0], pre[1], post[0], post[1], stride[0], stride[1], dilation[0], dilation[1]};
}

cudnnPointwiseMode_t pointwise_mode_of(const CudnnDescriptor& descriptor) {
    const auto mode = value_of<cudnnPointwiseMode_t>(descriptor, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE);
    if (value_of<cudnnDataType_t>(descriptor, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE) !=
        CUDNN_DATA_FLOAT) {
        throw Misuse("the fake cuDNN computes pointwise operations only in float32");
    }
    switch (mode) {
        case CUDNN_POINTWISE_ADD:
        case CUDNN_POINTWISE_SUB:
        case CUDNN_POINTWISE_MUL:
        case CUDNN_POINTWISE_RSQRT:
        case CUDNN_POINTWISE_RELU_FWD:
        case CUDNN_POINTWISE_CMP_GT:
            return mode;
        default:
            throw Misuse("the fake cuDNN has no pointwise mode " + std::to_string(mode));
    }
}

GraphOperation operation_of(const CudnnDescriptor& descriptor) {
    switch (descriptor.type) {
        case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
            return convolution(
                descriptor,
                {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y});
        case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
            return convolution(
                descriptor,
                {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX});
        case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
            return convolution(
                descriptor,
                {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
                 CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW});
        case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
            return pointwise(descriptor);
        case CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR:
            return norm_forward(descriptor);
        case CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR:
            return norm_backward(descriptor);
        default:
            throw Misuse("the fake cuDNN has no descriptor of type " + std::to_string(descriptor.type));
    }
}

OperationList graph_of(const CudnnDescriptor& descriptor) {
    OperationList operations;
    for (const auto part : values_of<cudnnBackendDescriptor_t>(descriptor, CUDNN_ATTR_OPERATIONGRAPH_OPS,
                                                               CUDNN_TYPE_BACKEND_DESCRIPTOR)) {
        const CudnnDescriptor& operation = descriptor_at(part);
        require(operation.finalized, CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "an operation is not finalised");
        operations.push_back(operation_of(operation));
    }
    std::map<int64_t, GraphTensor> tensors;
    std::set<int64_t> computed;
    for (const GraphOperation& operation : operations) {
        for (const auto* list : {&operation.inputs, &operation.outputs}) {
            for (const auto& [name, tensor] : *list) {
                const GraphTensor& known = tensors.emplace(tensor.id, tensor).first->second;
                require(
                    known.same_extents(tensor) && known.type == tensor.type && known.is_virtual == tensor.is_virtual,
                    CUDNN_STATUS_BAD_PARAM, "two different tensors have the same unique id");
            }
        }
        for (const auto& [name, input] : operation.inputs) {
            require(!input.is_virtual || computed.count(input.id) > 0, CUDNN_STATUS_BAD_PARAM,
                    "an operation reads a virtual tensor before it is computed");
        }
        for (const auto& [name, output] : operation.outputs) {
            require(computed.insert(output.id).second, CUDNN_STATUS_BAD_PARAM, "a tensor is computed twice");
        }
    }
    return operations;
}

}  // namespace fakes
