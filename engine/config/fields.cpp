#include "engine/config/fields.h"

#include <charconv>
#include <cmath>

namespace residual {
namespace {

// The shortest decimal text that reads back as the same number: 128, 0.0002.
std::string number_text(double value) {
    char buffer[32];
    return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

}  // namespace

std::string bounds_text(const Range& range) {
    const bool has_lower = std::isfinite(range.lower);
    const bool has_upper = std::isfinite(range.upper);
    if (has_lower && has_upper && !range.upper_excluded && !range.lower_excluded) {
        return " from " + number_text(range.lower) + " to " + number_text(range.upper);
    }
    std::string text;
    if (has_lower) text += (range.lower_excluded ? " > " : " >= ") + number_text(range.lower);
    if (has_upper) {
        text += (has_lower ? " and" : "");
        text += (range.upper_excluded ? " < " : " <= ") + number_text(range.upper);
    }
    return text;
}

}  // namespace residual
