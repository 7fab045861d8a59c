// The peak rates of the device, measured in the same run as the cases.
#pragma once

#include <string>
#include <vector>

#include "engine/backend/stopwatch.h"

namespace residual::bench {

struct Yardsticks {
    double copy_bytes_per_second;  // Bytes read plus bytes written of a large copy.
    struct Rate {
        std::string source;  // "float32 multiply-adds on registers"
        double flops_per_second;
    };
    std::vector<Rate> products;  // In the type that the device trains in, measured in several ways.

    double most_flops_per_second() const;
};

Yardsticks measure_yardsticks(Backend& backend, Stopwatch& stopwatch);

}  // namespace residual::bench
