// Convolution and its two gradients by oneDNN: NHWC activations as they are, weights in whatever layout oneDNN likes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "engine/backend/cpu/executor.h"

namespace residual::onednn {

// The primitives of one convolution shape and type, made when first needed and kept.
class Convolution {
  public:
    Convolution(Executor& executor, const Conv2dParams& params, DType dtype);

    // x, w, y have the type given to the constructor.
    void forward(const Tensor& x, const Tensor& w, const Tensor& y);
    void backward_data(const Tensor& dy, const Tensor& w, const Tensor& dx);
    // dw is float32.
    void backward_weight(const Tensor& x, const Tensor& dy, const Tensor& dw);

  private:
    // A primitive, and the reorder between the engine's weight layout and the one it wants (none if they agree).
    struct Step {
        dnnl::primitive primitive;
        dnnl::memory::desc scratchpad;
        dnnl::memory::desc weights;
        std::optional<dnnl::reorder::primitive_desc> reorder;
    };

    Step make_backward_data() const;
    Step make_backward_weight() const;
    // The weights as `step` wants them: w itself, or a copy that `keep` holds.
    dnnl::memory weights_for(const Step& step, const Tensor& w, Tensor& keep);
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
    Convolution& get(const Conv2dParams& params, DType dtype);

  private:
    Executor& executor_;
    std::map<std::pair<Conv2dParams, DType>, std::unique_ptr<Convolution>> cache_;
};

}  // namespace residual::onednn
