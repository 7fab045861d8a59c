// The relative error of an array of numbers.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

namespace test {

// |found - expected| / |expected| in the L2 norm, or |found| if the expected numbers are all zero. NaN if any number is
// NaN; infinite if the counts differ.
template <class Found, class Expected>
double relative_error(const std::vector<Found>& found, const std::vector<Expected>& expected) {
    if (found.size() != expected.size()) return std::numeric_limits<double>::infinity();
    double difference = 0, norm = 0;
    for (size_t i = 0; i < found.size(); ++i) {
        difference += std::pow(double{found[i]} - double{expected[i]}, 2);
        norm += std::pow(double{expected[i]}, 2);
    }
    return std::sqrt(norm > 0 ? difference / norm : difference);
}

}  // namespace test
