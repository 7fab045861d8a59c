// Comma-separated values (RFC 4180, with a line feed at the end of a line).
#pragma once

#include <span>
#include <string>

namespace residual::tools {

// The fields as one line, with its line feed. A field with a comma, a quotation mark or a line break is quoted.
std::string csv_line(std::span<const std::string> fields);

}  // namespace residual::tools
