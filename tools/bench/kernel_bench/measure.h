// Measures one call of an operation: the median over many passes, with operands in memory (cold) or in the cache
// (warm).
#pragma once

#include "engine/backend/stopwatch.h"
#include "tools/bench/kernel_bench/trial.h"

namespace residual::bench {

struct Times {
    double cold, warm;  // Seconds per call.
};

class Meter {
  public:
    // budget: seconds for each of the two measurements; 0 for the minimum of two passes.
    Meter(Backend& backend, double budget);

    // `first` has already run; make() returns a trial on another copy of the operands.
    Times measure(const Trial& first, const std::function<Trial()>& make);

    Stopwatch& stopwatch() { return *stopwatch_; }

  private:
    double median_of_passes(const std::vector<Trial>& trials, size_t calls, bool cold);

    Backend& backend_;
    std::unique_ptr<Stopwatch> stopwatch_;
    double budget_;
};

}  // namespace residual::bench
