#include "engine/backend/cuda/operation_graph.h"

#include <iterator>
#include <optional>
#include <utility>

namespace residual::cuda {

namespace {

cudnnDataType_t data_type(DType dtype) {
    RESIDUAL_ASSERT(dtype == DType::kFloat32 || dtype == DType::kBFloat16);
    return dtype == DType::kFloat32 ? CUDNN_DATA_FLOAT : CUDNN_DATA_BFLOAT16;
}

// cuDNN takes extents in the order batch, channels, height, width; the strides say that the memory is NHWC.
struct Extents {
    int64_t batch, channels, height, width;
};

Extents extents_of(const Shape& nhwc) {
    return {nhwc[0], nhwc[3], nhwc[1], nhwc[2]};
}

// Collects tensors and operations. Tensors without a slot are intermediate results, which are not in memory.
class Builder {
  public:
    // Index of a tensor.
    using Tensor = size_t;

    Tensor memory(Slot slot, const Extents& extents, cudnnDataType_t type) {
        return add_tensor(static_cast<int64_t>(slot), extents, type, false, false);
    }
    Tensor intermediate(const Extents& extents, cudnnDataType_t type) {
        constexpr int64_t kFirst = 100;  // above all slots
        return add_tensor(kFirst + static_cast<int64_t>(tensors_.size()), extents, type, true, false);
    }
    // A float32 scalar in host memory.
    Tensor scalar(Slot slot) {
        return add_tensor(static_cast<int64_t>(slot), {1, 1, 1, 1}, CUDNN_DATA_FLOAT, false, true);
    }
    // One float32 value per channel.
    Tensor per_channel(Slot slot, int64_t channels) { return memory(slot, {1, channels, 1, 1}, CUDNN_DATA_FLOAT); }

    // y = mode(a, b); b is optional.
    void pointwise(cudnnPointwiseMode_t mode, Tensor a, std::optional<Tensor> b, Tensor y) {
        Descriptor kind(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
        kind.set(CUDNN_ATTR_POINTWISE_MODE, mode);
        kind.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
        kind.finalize();
        Descriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
        operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, kind);
        operation.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, tensors_[a]);
        if (b) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, tensors_[*b]);
        operation.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, tensors_[y]);
        add(std::move(operation));
        others_.push_back(std::move(kind));
    }

    // An operation whose attributes other than tensors are set already.
    void operation(Descriptor operation, const std::vector<std::pair<cudnnBackendAttributeName_t, Tensor>>& tensors) {
        for (const auto& [attribute, tensor] : tensors) operation.set(attribute, tensors_[tensor]);
        add(std::move(operation));
    }

    void keep(Descriptor descriptor) { others_.push_back(std::move(descriptor)); }
    const std::vector<Descriptor>& operations() const { return operations_; }

    // All descriptors.
    std::vector<Descriptor> release() {
        std::vector<Descriptor> all = std::move(operations_);
        for (auto* const rest : {&tensors_, &others_}) {
            all.insert(all.end(), std::make_move_iterator(rest->begin()), std::make_move_iterator(rest->end()));
        }
        return all;
    }

  private:
    Tensor add_tensor(int64_t id, const Extents& e, cudnnDataType_t type, bool is_intermediate, bool is_scalar) {
        constexpr int64_t kAlignment = 16;  // bytes; the arena aligns to more
        Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
        tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
        tensor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, type);
        tensor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, {e.batch, e.channels, e.height, e.width});
        tensor.set(CUDNN_ATTR_TENSOR_STRIDES,
                   {e.height * e.width * e.channels, int64_t{1}, e.width * e.channels, e.channels});
        tensor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, kAlignment);
        tensor.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, is_intermediate);
        if (is_scalar) tensor.set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, true);
        tensor.finalize();
        tensors_.push_back(std::move(tensor));
        return tensors_.size() - 1;
    }

    void add(Descriptor operation) {
        operation.finalize();
        operations_.push_back(std::move(operation));
    }

    std::vector<Descriptor> tensors_, operations_, others_;
};

// Pads before and after as the key says, so that "same" padding needs no separate pass.
Descriptor convolution_of(const Conv2dParams& p) {
    Descriptor convolution(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
    convolution.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
    convolution.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, int64_t{2});
    convolution.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {int64_t{1}, int64_t{1}});
    convolution.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {int64_t{p.stride}, int64_t{p.stride}});
    convolution.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {int64_t{p.pad_top}, int64_t{p.pad_left}});
    convolution.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {int64_t{p.pad_bottom}, int64_t{p.pad_right}});
    convolution.finalize();
    return convolution;
}

// The names of an operation's attributes, and the slots of its tensors.
struct ConvolutionNames {
    cudnnBackendDescriptorType_t operation;
    cudnnBackendAttributeName_t convolution, alpha, beta, x, w, y;
    Slot x_slot, w_slot, y_slot;
};

// In the order of ConvolutionGraph::Direction.
constexpr ConvolutionNames kConvolutions[] = {
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, Slot::x, Slot::w, Slot::y},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, Slot::dx, Slot::w, Slot::dy},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, Slot::x, Slot::dw,
     Slot::dy}};

void build(Builder& b, const ConvolutionGraph& graph) {
    const cudnnDataType_t type = data_type(graph.dtype);
    const ConvolutionNames& names = kConvolutions[static_cast<size_t>(graph.direction)];
    Descriptor convolution = convolution_of(graph.conv);
    Descriptor operation(names.operation);
    operation.set(names.convolution, convolution);
    operation.set(names.alpha, 1.0f);
    operation.set(names.beta, 0.0f);
    b.operation(std::move(operation), {{names.x, b.memory(names.x_slot, extents_of(graph.conv.input_shape()), type)},
                                       {names.w, b.memory(names.w_slot, extents_of(graph.conv.weight_shape()), type)},
                                       {names.y, b.memory(names.y_slot, extents_of(graph.conv.output_shape()), type)}});
    b.keep(std::move(convolution));
}

// The end of a batch norm, y = [relu](normalised [+ residual]). normalised() is the tensor that the operations before
// build() must write: y, or an intermediate one.
class Epilogue {
  public:
    Epilogue(Builder& b, const BatchNormGraph& graph, const Extents& extents, cudnnDataType_t type)
        : b_(b), graph_(graph), extents_(extents), type_(type) {
        normalised_ = graph.relu || graph.residual ? intermediate() : y();
    }
    Builder::Tensor normalised() const { return normalised_; }
    void build() {
        Builder::Tensor sum = normalised_;
        if (graph_.residual) {
            sum = graph_.relu ? intermediate() : y();
            b_.pointwise(CUDNN_POINTWISE_ADD, normalised_, b_.memory(Slot::residual, extents_, type_), sum);
        }
        if (graph_.relu) b_.pointwise(CUDNN_POINTWISE_RELU_FWD, sum, std::nullopt, y());
    }

  private:
    Builder::Tensor y() { return b_.memory(Slot::y, extents_, type_); }
    Builder::Tensor intermediate() { return b_.intermediate(extents_, CUDNN_DATA_FLOAT); }

    Builder& b_;
    const BatchNormGraph& graph_;
    Extents extents_;
    cudnnDataType_t type_;
    Builder::Tensor normalised_;
};

void build_training(Builder& b, const BatchNormGraph& graph, const Extents& extents, cudnnDataType_t type) {
    Epilogue epilogue(b, graph, extents, type);
    const auto per_channel = [&](Slot slot) { return b.per_channel(slot, extents.channels); };
    std::vector<std::pair<cudnnBackendAttributeName_t, Builder::Tensor>> tensors = {
        {CUDNN_ATTR_OPERATION_NORM_FWD_XDESC, b.memory(Slot::x, extents, type)},
        {CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC, per_channel(Slot::mean)},
        {CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC, per_channel(Slot::inverse_std)},
        {CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC, per_channel(Slot::gamma)},
        {CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC, per_channel(Slot::beta)},
        {CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC, b.scalar(Slot::epsilon)},
        {CUDNN_ATTR_OPERATION_NORM_FWD_YDESC, epilogue.normalised()}};
    if (graph.running) {
        tensors.insert(
            tensors.end(),
            {{CUDNN_ATTR_OPERATION_NORM_FWD_EXP_AVG_FACTOR_DESC, b.scalar(Slot::new_share)},
             {CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_MEAN_DESC, per_channel(Slot::running_mean)},
             {CUDNN_ATTR_OPERATION_NORM_FWD_INPUT_RUNNING_VAR_DESC, per_channel(Slot::running_variance)},
             {CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_MEAN_DESC, per_channel(Slot::new_running_mean)},
             {CUDNN_ATTR_OPERATION_NORM_FWD_OUTPUT_RUNNING_VAR_DESC, per_channel(Slot::new_running_variance)}});
    }
    Descriptor norm(CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR);
    norm.set(CUDNN_ATTR_OPERATION_NORM_FWD_MODE, CUDNN_BATCH_NORM);
    norm.set(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE, CUDNN_NORM_FWD_TRAINING);
    b.operation(std::move(norm), tensors);
    epilogue.build();
}

// cuDNN fuses the ReLU's mask as a comparison and a product, but not as its ReLU gradient operation; the masked dy must
// have the type of dy.
void build_backward(Builder& b, const BatchNormGraph& graph, const Extents& extents, cudnnDataType_t type) {
    const auto per_channel = [&](Slot slot) { return b.per_channel(slot, extents.channels); };
    Builder::Tensor dy = b.memory(Slot::dy, extents, type);
    if (graph.relu) {
        const Builder::Tensor mask = b.intermediate(extents, CUDNN_DATA_BOOLEAN);
        b.pointwise(CUDNN_POINTWISE_CMP_GT, b.memory(Slot::y, extents, type), b.scalar(Slot::zero), mask);
        const Builder::Tensor masked =
            graph.residual ? b.memory(Slot::dresidual, extents, type) : b.intermediate(extents, type);
        b.pointwise(CUDNN_POINTWISE_MUL, dy, mask, masked);
        dy = masked;
    }
    Descriptor norm(CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR);
    norm.set(CUDNN_ATTR_OPERATION_NORM_BWD_MODE, CUDNN_BATCH_NORM);
    b.operation(std::move(norm), {{CUDNN_ATTR_OPERATION_NORM_BWD_XDESC, b.memory(Slot::x, extents, type)},
                                  {CUDNN_ATTR_OPERATION_NORM_BWD_MEAN_DESC, per_channel(Slot::mean)},
                                  {CUDNN_ATTR_OPERATION_NORM_BWD_INV_VARIANCE_DESC, per_channel(Slot::inverse_std)},
                                  {CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC, dy},
                                  {CUDNN_ATTR_OPERATION_NORM_BWD_SCALE_DESC, per_channel(Slot::gamma)},
                                  {CUDNN_ATTR_OPERATION_NORM_BWD_DSCALE_DESC, per_channel(Slot::dgamma)},
                                  {CUDNN_ATTR_OPERATION_NORM_BWD_DBIAS_DESC, per_channel(Slot::dbeta)},
                                  {CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC, b.memory(Slot::dx, extents, type)}});
}

// Pointwise operations, because no engine runs cuDNN's norm operation in its inference phase.
void build_inference(Builder& b, const BatchNormGraph& graph, const Extents& extents, cudnnDataType_t type) {
    const Extents channels{1, extents.channels, 1, 1};
    const auto per_channel = [&](Slot slot) { return b.per_channel(slot, extents.channels); };
    const auto computed = [&](const Extents& e) { return b.intermediate(e, CUDNN_DATA_FLOAT); };
    const auto apply = [&](cudnnPointwiseMode_t mode, Builder::Tensor a, std::optional<Builder::Tensor> other,
                           Builder::Tensor result) {
        b.pointwise(mode, a, other, result);
        return result;
    };
    Epilogue epilogue(b, graph, extents, type);
    const auto shifted =
        apply(CUDNN_POINTWISE_ADD, per_channel(Slot::variance), b.scalar(Slot::epsilon), computed(channels));
    const auto inverse_std = apply(CUDNN_POINTWISE_RSQRT, shifted, std::nullopt, computed(channels));
    const auto centred =
        apply(CUDNN_POINTWISE_SUB, b.memory(Slot::x, extents, type), per_channel(Slot::mean), computed(extents));
    const auto whitened = apply(CUDNN_POINTWISE_MUL, centred, inverse_std, computed(extents));
    const auto scaled = apply(CUDNN_POINTWISE_MUL, whitened, per_channel(Slot::gamma), computed(extents));
    apply(CUDNN_POINTWISE_ADD, scaled, per_channel(Slot::beta), epilogue.normalised());
    epilogue.build();
}

void build(Builder& b, const BatchNormGraph& graph) {
    const Extents extents{graph.batch, graph.channels, graph.height, graph.width};
    const cudnnDataType_t type = data_type(graph.dtype);
    switch (graph.pass) {
        case BatchNormGraph::Pass::training:
            return build_training(b, graph, extents, type);
        case BatchNormGraph::Pass::backward:
            return build_backward(b, graph, extents, type);
        case BatchNormGraph::Pass::inference:
            return build_inference(b, graph, extents, type);
    }
}

}  // namespace

OperationGraph::OperationGraph(const GraphKey& key, cudnnHandle_t handle)
    : graph_(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR) {
    Builder builder;
    std::visit([&](const auto& graph) { build(builder, graph); }, key);
    if (handle != nullptr) graph_.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle);
    graph_.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, builder.operations());
    graph_.finalize();
    parts_ = builder.release();
}

}  // namespace residual::cuda
