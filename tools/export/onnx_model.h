// A network as an ONNX model (https://onnx.ai), opset 17, IR version 8.
#pragma once

#include <string>
#include <vector>

#include "tools/export/weights.h"
#include "tools/graph/graph.h"

namespace residual::tools {

struct OnnxDescription {
    std::string title;                     // Of the network, for display.
    std::vector<std::string> class_names;  // By label.
    std::vector<float> mean;               // Per-pixel mean, [height, width, channels].
};

// The model as the bytes of a file. Input: `images`, uint8 [batch, height, width, channels]; output: `logits`, float32
// [batch, classes]; any batch size. The model converts the bytes to float32, subtracts the mean and continues in NCHW.
// The class names are in its metadata under `class_names`, as a JSON array. Throws InputError if an operation has no
// counterpart in ONNX, and Error if the model is larger than a file can be (2 GiB).
std::string onnx_model(const Graph& graph, const Weights& weights, const OnnxDescription& description);

}  // namespace residual::tools
