// A confusion matrix as an image.
#pragma once

#include <string>

#include "engine/metrics/classification.h"

namespace residual {

struct ConfusionImage {
    std::string png;
    int size;  // Pixels in each direction.
};

// One square per pair of classes: rows are true classes, columns predicted ones, from the top left. The darker the
// square, the larger its share of the images of the row's class; with up to kMostNumbered classes it also shows this
// share as a whole number of percent, and the squares of correct predictions are framed.
constexpr int kMostNumbered = 20;
ConfusionImage confusion_image(const ConfusionMatrix& matrix);

}  // namespace residual
