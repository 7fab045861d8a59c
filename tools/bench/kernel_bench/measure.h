// The time of one call of an operation: repeated, the median, with operands that come from memory or from the cache.
#pragma once

#include "engine/backend/stopwatch.h"
#include "tools/bench/kernel_bench/trial.h"

namespace residual::bench {

struct Times {
    double cold, warm;  // Seconds of one call.
};

class Meter {
  public:
    // budget: seconds that each of the two measurements may take; 0 for a look, two passes.
    Meter(Backend& backend, double budget);

    // make() makes another copy of the operands. `first` has run already.
    Times measure(const Trial& first, const std::function<Trial()>& make);

    Stopwatch& stopwatch() { return *stopwatch_; }

  private:
    double median_of_passes(const std::vector<Trial>& trials, size_t calls, bool cold);

    Backend& backend_;
    std::unique_ptr<Stopwatch> stopwatch_;
    double budget_;
};

}  // namespace residual::bench
