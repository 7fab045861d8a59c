// How far numbers are from those expected.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

namespace test {

// |found - expected| / |expected| in the L2 norm, |found| where the expected numbers are all zero; NaN where a number
// is; infinite where the counts differ.
template <class Found, class Expected>
double relative_error(const std::vector<Found>& found, const std::vector<Expected>& expected) {
    if (found.size() != expected.size()) return std::numeric_limits<double>::infinity();
    double difference = 0, batch_norm = 0;
    for (size_t i = 0; i < found.size(); ++i) {
        difference += std::pow(double{found[i]} - double{expected[i]}, 2);
        batch_norm += std::pow(double{expected[i]}, 2);
    }
    return std::sqrt(batch_norm > 0 ? difference / batch_norm : difference);
}

}  // namespace test
