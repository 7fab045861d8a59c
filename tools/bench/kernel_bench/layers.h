// The shapes of pre-activation ResNet-20, 56 and 110 for CIFAR-10.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace residual::bench {

enum class Residual { kNone, kIdentity, kAveragePool };

// One place in a network: the image that an operation reads, and for a convolution what becomes of it.
struct Layer {
    int channels, height, width;  // height 0: no image, and no batch.
    int out_channels, stride;
    Residual residual = Residual::kNone;
    int depth = 0;  // Of the network, for what runs over all of its parameters.

    bool operator==(const Layer&) const = default;
    bool batched() const { return height > 0; }
    // "16x32x32", "16x32x32/2" where the image is halved, "64x8x8+x" and "32x16x16+pool" with a residual; "64>10" for
    // a linear layer, "16" for a vector, "ResNet-20" for a network.
    std::string text() const;
};

// The places of pre-activation ResNets, each once, in the order of the network.
struct Layers {
    std::vector<Layer> image;       // What a batch is made of.
    std::vector<Layer> stages;      // The images of the stages.
    std::vector<Layer> narrowing;   // Where the image is halved and the channels are doubled.
    std::vector<Layer> stem, head;  // The first convolution; what is averaged before the linear layer.
    std::vector<Layer> linear;
    std::vector<Layer> vectors;             // One value for each channel of a stage.
    std::vector<Layer> convolutions;        // Without what surrounds them.
    std::vector<Layer> inner_convolutions;  // All but the stem: an image has no gradient.
    std::vector<Layer> bn_relu_convs;       // BN, ReLU, convolution and residual.
    std::vector<Layer> networks;
};

// Read from the trace of ResNet-20's forward pass; 56 and 110 have the same places, more often.
const Layers& network_layers();

// Of a pre-activation ResNet without projections; decayed: the weights of convolutions and of the classifier.
struct ParameterCount {
    int64_t decayed, all;
};
ParameterCount parameter_count(int depth);

}  // namespace residual::bench
