// Convolution and its two gradients by oneDNN. Activations stay NHWC; weights are reordered to oneDNN's preferred
// layout.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "engine/backend/cpu/executor.h"

namespace residual::onednn {

// The primitives of one convolution shape and type. Those of the gradients are created on first use.
class Convolution {
  public:
    Convolution(Executor& executor, const Conv2dParams& params, DType dtype);

    // Tensors have the type given to the constructor, except dw, which is float32.
    void forward(const Tensor& x, const Tensor& w, const Tensor& y);
    void backward_data(const Tensor& dy, const Tensor& w, const Tensor& dx);
    void backward_weight(const Tensor& x, const Tensor& dy, const Tensor& dw);

  private:
    // A primitive, and the reorder between the engine's weight layout and the primitive's (none if they are equal).
    struct Step {
        dnnl::primitive primitive;
        dnnl::memory::desc scratchpad;
        dnnl::memory::desc weights;
        std::optional<dnnl::reorder::primitive_desc> reorder;
    };

    Step make_backward_data() const;
    Step make_backward_weight() const;
    // The weights in the layout of `step`: w itself or a copy in `buffer`.
    dnnl::memory weights_for(const Step& step, const Tensor& w, Tensor& buffer);
    void reorder(const dnnl::reorder::primitive_desc& description, const dnnl::memory& from, const dnnl::memory& to);

    Executor& executor_;
    dnnl::memory::desc x_, y_, any_weights_, w_, dw_;
    dnnl::memory::dims weight_dims_, strides_, pad_before_, pad_after_;
    dnnl::convolution_forward::primitive_desc forward_description_;
    Step forward_;
    std::optional<Step> backward_data_, backward_weight_;
};

class Convolutions {
  public:
    explicit Convolutions(Executor& executor) : executor_(executor) {}
    Convolution& get(const Conv2dParams& params, DType dtype) {
        return cache_.try_emplace({params, dtype}, executor_, params, dtype).first->second;
    }

  private:
    Executor& executor_;
    std::map<std::pair<Conv2dParams, DType>, Convolution> cache_;
};

}  // namespace residual::onednn
