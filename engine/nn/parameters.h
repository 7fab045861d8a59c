// The parameters and buffers of a network, by name.
//
// All parameters are views of one flat float32 array, so that an optimizer updates them in one pass. Gradients and
// momenta are two more arrays with the same layout. Parameters with weight decay come first.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/autograd/variable.h"

namespace residual::nn {

enum class Init {
    kXavierUniform,  // U(-a, a), a = sqrt(6 / (fan_in + fan_out)); Glorot & Bengio 2010
    kZeros,
    kOnes,
};

enum class Role {
    kConvWeight,    // [out, kernel, kernel, in]: decays; operations read a copy in the type of the activations
    kLinearWeight,  // [out, in]: decays; float32
    kVector,        // bias, or scale and shift of a batch norm: does not decay; float32
};

struct Parameter {
    std::string name;
    Shape shape;
    Role role;
    Init init;
    Variable variable;  // What operations read: the weight or its low-precision copy.
    Tensor weight;      // float32 master weight, a view of weights().
    Tensor gradient;    // View of gradients().
    Tensor momentum;    // View of momenta().
};

// State without a gradient: the running statistics of batch norm.
struct Buffer {
    std::string name;
    Shape shape;
    Init init;
    Variable variable;  // What operations read; shares memory with `value`.
    Tensor value;       // float32.
};

class Parameters {
  public:
    // Layers declare their parameters and buffers in their constructors. Throws AssertionError on a duplicate name.
    std::shared_ptr<Parameter> add(const std::string& name, const Shape& shape, Role role, Init init);
    std::shared_ptr<Buffer> add_buffer(const std::string& name, const Shape& shape, Init init);

    // Allocates and initialises all of them; call once, after the network is built. A given seed gives the same values
    // on every device (Philox, keyed by the seed, with parameter and element as counter). `activations` is the type in
    // which operations use convolution weights.
    void allocate(Backend& backend, DType activations, uint64_t seed);

    // Updates the low-precision copies. Call this after anything but the optimizer has changed weights.
    void refresh_copies(Backend& backend);
    void clear_gradients();
    // Call after backward: zeroes the gradients of parameters that the step did not use, which are still those of an
    // earlier step.
    void zero_unused_gradients(Backend& backend);

    const std::vector<std::shared_ptr<Parameter>>& parameters() const { return parameters_; }
    const std::vector<std::shared_ptr<Buffer>>& buffers() const { return buffers_; }
    DType activations() const { return activations_; }

    // The flat arrays. Weight decay applies to the first decayed_elements().
    int64_t decayed_elements() const { return decayed_; }
    const Tensor& weights() const { return weights_; }      // float32
    const Tensor& gradients() const { return gradients_; }  // float32
    const Tensor& momenta() const { return momenta_; }      // float32
    const Tensor& copies() const { return copies_; }  // Weights as bfloat16; undefined if activations are float32.

  private:
    void check_new(const std::string& name) const;

    std::vector<std::shared_ptr<Parameter>> parameters_;
    std::vector<std::shared_ptr<Buffer>> buffers_;
    DType activations_ = DType::kFloat32;
    int64_t decayed_ = 0;
    Tensor weights_, gradients_, momenta_, copies_;
};

}  // namespace residual::nn
