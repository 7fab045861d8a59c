// The time of one call of an operation: repeated, the median, with operands that come from memory or from the cache.
#pragma once

#include "engine/backend/stopwatch.h"
#include "tools/kernel_bench/trial.h"

namespace bench {

struct Times {
    double cold, warm;  // Seconds of one call.
};

class Meter {
  public:
    // budget: seconds that each of the two measurements may take; 0 for a look, two passes.
    Meter(engine::Backend& backend, double budget);

    // make() makes another copy of the operands. `first` has run already.
    Times measure(const Trial& first, const std::function<Trial()>& make);

    engine::Stopwatch& stopwatch() { return *stopwatch_; }

  private:
    double median_of_passes(const std::vector<Trial>& trials, size_t calls, bool cold);

    engine::Backend& backend_;
    std::unique_ptr<engine::Stopwatch> stopwatch_;
    double budget_;
};

}  // namespace bench
