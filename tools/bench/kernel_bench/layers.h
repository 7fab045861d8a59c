// The shapes of pre-activation ResNet-20, 56 and 110 for CIFAR-10.
#pragma once

#include <string>
#include <vector>

#include "engine/core/shape.h"

namespace residual::bench {

enum class Residual { kNone, kIdentity, kAveragePool };

// A layer of a network: the image that it reads, and for a convolution or linear layer its output.
struct Layer {
    int channels, height, width;  // height 0: no image, and no batch.
    int out_channels, stride;
    Residual residual = Residual::kNone;
    int depth = 0;  // Of the network, for an operation on all of its parameters.

    bool operator==(const Layer&) const = default;
    bool batched() const { return height > 0; }
    Shape image() const { return {height, width, channels}; }
    Shape halved_image() const { return {height / 2, width / 2, out_channels}; }
    // "16x32x32", "16x32x32/2" if the image is halved, "64x8x8+x" and "32x16x16+pool" with a residual; "64>10" for a
    // linear layer, "16" for a vector, "ResNet-20" for a network.
    std::string text() const;
};

// Each distinct shape once, in the order of the network. ResNet-20, 56 and 110 share all but `networks`.
struct Layers {
    std::vector<Layer> image;         // One image of the data set.
    std::vector<Layer> stages;        // The activations of each stage.
    std::vector<Layer> narrowing;     // The shortcuts that halve the image and double the channels.
    std::vector<Layer> stem;          // The first convolution.
    std::vector<Layer> head, linear;  // The input of the global average pool and of the linear layer.
    std::vector<Layer> vectors;       // One value per channel of a stage.
    std::vector<Layer> convolutions;
    std::vector<Layer> inner_convolutions;  // All but the stem: an image has no gradient.
    std::vector<Layer> bn_relu_convs;       // BN, ReLU, convolution and residual.
    std::vector<Layer> networks;
};

// Read from the trace of a forward pass of ResNet-20.
const Layers& network_layers();

// The numbers of parameters of a pre-activation ResNet without projections; decayed: the weights of convolutions and
// of the linear layer.
struct ParameterCount {
    int64_t decayed, all;
};
ParameterCount parameter_count(int depth);

}  // namespace residual::bench
