// What the device can do at most, measured in the same run as the cases.
#pragma once

#include <string>
#include <vector>

#include "engine/backend/stopwatch.h"

namespace residual::bench {

struct Yardsticks {
    double copy_bytes_per_second;  // Of a large copy, bytes read and written.
    struct Rate {
        std::string source;  // "float32 multiply-adds on registers"
        double flops_per_second;
    };
    std::vector<Rate> products;  // In the type that the device trains in, by different means.

    double most_flops_per_second() const;
};

Yardsticks measure_yardsticks(Backend& backend, Stopwatch& stopwatch);

}  // namespace residual::bench
