// The learnt tensors of a network and the running statistics beside them, by name.
//
// All parameters lie in one flat float32 array, so that an optimizer updates them in one pass; their gradients and
// momenta lie in two more arrays at the same places. Parameters with weight decay come first.
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
    kConvWeight,    // [out, kernel, kernel, in]: decays, and is used in the type of the activations
    kLinearWeight,  // [out, in]: decays, float32
    kVector,        // bias, or scale and shift of a batch norm: does not decay, float32
};

struct Parameter {
    std::string name;
    Shape shape;
    Role role;
    Init init;
    Variable variable;  // What operations use.
    Tensor weight;      // The float32 master, a view of the flat array.
    Tensor gradient;    // Likewise.
    Tensor momentum;    // Likewise.
};

// State that is learnt without a gradient.
struct Buffer {
    std::string name;
    Shape shape;
    Init init;
    Variable variable;  // What operations use.
    Tensor value;       // The same, float32.
};

class Parameters {
  public:
    // Layers announce what they need while they are built. Throws AssertionError if a name comes twice.
    std::shared_ptr<Parameter> add(const std::string& name, const Shape& shape, Role role, Init init);
    std::shared_ptr<Buffer> add_buffer(const std::string& name, const Shape& shape, Init init);

    // Then memory is given to all of it and filled: the same values on every device for one seed (Philox, keyed by
    // seed and counted by parameter and element). `activations` is the type of convolution weights in operations.
    void allocate(Backend& backend, DType activations, uint64_t seed);

    // To be called when weights were written from outside: makes the low-precision copies again.
    void refresh_copies(Backend& backend);
    void clear_gradients();
    // To be called after backward: what no operation used has a gradient of zero, not the one of an earlier step.
    void zero_unused_gradients(Backend& backend);

    const std::vector<std::shared_ptr<Parameter>>& parameters() const { return parameters_; }
    const std::vector<std::shared_ptr<Buffer>>& buffers() const { return buffers_; }
    DType activations() const { return activations_; }

    int64_t decayed_elements() const { return decayed_; }
    const Tensor& weights() const { return weights_; }      // All weights, flat float32.
    const Tensor& gradients() const { return gradients_; }  // All gradients, flat float32.
    const Tensor& momenta() const { return momenta_; }      // All momenta, flat float32.
    const Tensor& copies() const { return copies_; }        // All weights as bfloat16; undefined in float32.

  private:
    void check_new(const std::string& name) const;

    std::vector<std::shared_ptr<Parameter>> parameters_;
    std::vector<std::shared_ptr<Buffer>> buffers_;
    DType activations_ = DType::kFloat32;
    int64_t decayed_ = 0;
    Tensor weights_, gradients_, momenta_, copies_;
};

}  // namespace residual::nn
