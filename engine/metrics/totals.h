// Sums of loss and accuracy that stay on the device until somebody asks.
#pragma once

#include "engine/backend/backend.h"
#include "engine/ops/loss.h"

namespace engine {

struct Averages {
    double cross_entropy = 0;   // Mean per picture.
    double weight_penalty = 0;  // Mean per step of weight_decay * |w|^2 / 2.
    double accuracy = 0;        // Share of the pictures that were classified correctly.
};

class Totals {
  public:
    explicit Totals(Backend& backend);

    // Adds a batch. `sum_squares` of the decayed weights may be undefined.
    void add(const ops::LossResult& result, int batch, const Tensor& sum_squares = {}, float weight_decay = 0);
    // The averages since the last call (or the start), which are then forgotten. Waits for the device.
    Averages take();
    // The same, and nothing is forgotten.
    Averages peek() const;

  private:
    Backend& backend_;
    Tensor totals_;
};

}  // namespace engine
