// Numbers and their ranges in words, for messages and the table of keys.
#pragma once

#include <string>

#include "engine/config/fields.h"

namespace residual {

// The shortest decimal text that reads back as the same number: 128, 0.0002.
std::string number_text(double value);

// With a leading space: " >= 1", " from 0 to 16", " >= 0 and < 1"; empty where any number goes.
std::string bounds_text(const Range& range);

}  // namespace residual
