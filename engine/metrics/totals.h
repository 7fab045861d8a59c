// Sums of loss and accuracy, accumulated in device memory and read on demand.
#pragma once

#include "engine/backend/backend.h"

namespace residual {

struct Averages {
    double cross_entropy = 0;   // Mean per image.
    double weight_penalty = 0;  // Mean per step of weight_decay * |w|^2 / 2.
    double accuracy = 0;        // Fraction of the images classified correctly.
    int64_t diverged_at = 0;    // Updates done when the loss or a weight was first found to be non-finite; 0: never.
};

class Totals {
  public:
    explicit Totals(Backend& backend);

    // The bytes of one kernels::Metrics, to which ops::softmax_cross_entropy and Sgd::update add.
    const Tensor& sums() const { return sums_; }
    // Returns the averages since the last take(), and resets the sums and diverged_at. Waits for the device.
    Averages take();
    // Returns the averages without resetting anything. Waits for the device.
    Averages peek() const;

    // Save and restore the sums, for checkpoints. read() waits for the device.
    kernels::Metrics read() const;
    void write(const kernels::Metrics& sums);

  private:
    Backend& backend_;
    Tensor sums_;
};

}  // namespace residual
