// The peak rates of the device, measured in the same run as the cases.
#pragma once

#include <functional>
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
    struct Failure {
        std::string source, reason;
    };
    std::vector<Failure> failures;

    // Adds a rate of matrix products, or the reason why it could not be measured: the shapes are not those of the
    // networks, whose cases can be measured without it.
    void add(const std::string& source, const std::function<double()>& flops_per_second);
    // 0 if no rate was measured.
    double most_flops_per_second() const;
};

Yardsticks measure_yardsticks(Backend& backend, Stopwatch& stopwatch);

}  // namespace residual::bench
