#pragma once

#include <functional>
#include <string>

namespace residual {

// Shows one line to the user, who may act on it; the run continues.
using Warn = std::function<void(const std::string&)>;

}  // namespace residual
