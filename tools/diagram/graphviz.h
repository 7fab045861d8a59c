// Drawing a graph with Graphviz (https://graphviz.org).
#pragma once

#include <string>

namespace residual::tools {

// Runs the program `dot`: the graph `text` in the DOT language as a file of this format, such as "svg". Throws
// InputError if there is no such program, Error if it fails.
std::string run_dot(const std::string& text, const std::string& format);

}  // namespace residual::tools
