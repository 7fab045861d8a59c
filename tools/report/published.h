// Published test errors of the networks that a configuration can describe.
#pragma once

#include <optional>
#include <string>

#include "tools/run/experiment.h"

namespace residual::tools {

struct PublishedError {
    double percent;      // After 64,000 steps of 128 images, on the original CIFAR-10.
    std::string source;  // As a footnote cites it.
};

// Empty if none is published for this network and data set.
std::optional<PublishedError> published_error(const Experiment& experiment);

}  // namespace residual::tools
