// Writes a configuration as JSON text.
#pragma once

#include <string>

#include "engine/config/fields.h"

namespace residual {

// Writes the keys with a Fixed level of `least` or higher, in the order of the description, indented by 4 spaces, with
// a final newline. With the default level, which writes all keys, read_config() restores the same configuration. Throws
// InputError if a string is not UTF-8.
std::string write_config(const Describe& describe, Fixed least = Fixed::nowhere);

}  // namespace residual
