// Sums of loss and accuracy that stay on the device until somebody asks.
#pragma once

#include "engine/backend/backend.h"

namespace residual {

struct Averages {
    double cross_entropy = 0;   // Mean per image.
    double weight_penalty = 0;  // Mean per step of weight_decay * |w|^2 / 2.
    double accuracy = 0;        // Share of the images that were classified correctly.
    int64_t diverged_at = 0;    // Updates done when the loss or a weight was first seen not to be finite; 0: never.
};

class Totals {
  public:
    explicit Totals(Backend& backend);

    // What ops::softmax_cross_entropy and Sgd::update add to: the bytes of one kernels::Metrics.
    const Tensor& sums() const { return sums_; }
    // The averages since the last call (or the start), which are then forgotten, diverged_at with them. Waits for the
    // device.
    Averages take();
    // The same, and nothing is forgotten.
    Averages peek() const;

    // The sums themselves, to be kept and put back. read() waits for the device.
    kernels::Metrics read() const;
    void write(const kernels::Metrics& sums);

  private:
    Backend& backend_;
    Tensor sums_;
};

}  // namespace residual
