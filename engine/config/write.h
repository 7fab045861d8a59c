// The configuration as JSON text.
#pragma once

#include <string>

#include "engine/config/fields.h"

namespace residual {

// Every key with its value, in the order of the description, indented by 4, with a final newline. read_config takes it
// back unchanged. InputError where a text is not UTF-8. `least`: only keys that are fixed there.
std::string write_config(const Describe& describe, Fixed least = Fixed::nowhere);

}  // namespace residual
