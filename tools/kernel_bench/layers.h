// The shapes of pre-activation ResNet-20, 56 and 110 for CIFAR-10. The three share them; depth repeats them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

enum class Residual { kNone, kIdentity, kAveragePool };

// One place in a network: the picture that an operation reads, and for a convolution what becomes of it.
struct Layer {
    int channels, height, width;  // height 0: no picture, and no batch.
    int out_channels, stride;
    Residual residual = Residual::kNone;
    int depth = 0;  // Of the network, for what runs over all of its parameters.

    bool batched() const { return height > 0; }
    // "16x32x32", "16x32x32/2" where the picture is halved, "64x8x8+x" and "32x16x16+pool" with a residual; "64>10" for
    // a linear layer, "16" for a vector, "ResNet-20" for a network.
    std::string text() const;
};

inline constexpr int kClasses = 10;

// The pictures of the three stages.
inline const std::vector<Layer> kStages{{16, 32, 32, 16, 1}, {32, 16, 16, 32, 1}, {64, 8, 8, 64, 1}};
// The two places where the picture is halved and the channels are doubled.
inline const std::vector<Layer> kNarrowing{{16, 32, 32, 32, 2}, {32, 16, 16, 64, 2}};
inline const std::vector<Layer> kStem{{3, 32, 32, 16, 1}};
inline const std::vector<Layer> kHead{{64, 8, 8, kClasses, 1}};
inline const std::vector<Layer> kLinear{{64, 1, 1, kClasses, 1}};
inline const std::vector<Layer> kVectors{{16, 0, 0, 16, 1}, {32, 0, 0, 32, 1}, {64, 0, 0, 64, 1}};
inline const std::vector<Layer> kPicture{{3, 32, 32, 3, 1}};
inline const std::vector<Layer> kConvolutions{{3, 32, 32, 16, 1},  {16, 32, 32, 16, 1}, {16, 32, 32, 32, 2},
                                              {32, 16, 16, 32, 1}, {32, 16, 16, 64, 2}, {64, 8, 8, 64, 1}};
// A picture has no gradient.
inline const std::vector<Layer> kInnerConvolutions(kConvolutions.begin() + 1, kConvolutions.end());
// The first and the second half of each kind of residual unit.
inline const std::vector<Layer> kHalfUnits{
    {16, 32, 32, 16, 1, Residual::kNone}, {16, 32, 32, 16, 1, Residual::kIdentity},
    {16, 32, 32, 32, 2, Residual::kNone}, {32, 16, 16, 32, 1, Residual::kAveragePool},
    {32, 16, 16, 32, 1, Residual::kNone}, {32, 16, 16, 32, 1, Residual::kIdentity},
    {32, 16, 16, 64, 2, Residual::kNone}, {64, 8, 8, 64, 1, Residual::kAveragePool},
    {64, 8, 8, 64, 1, Residual::kNone},   {64, 8, 8, 64, 1, Residual::kIdentity}};
inline const std::vector<Layer> kNetworks{
    {0, 0, 0, 0, 1, Residual::kNone, 20}, {0, 0, 0, 0, 1, Residual::kNone, 56}, {0, 0, 0, 0, 1, Residual::kNone, 110}};

// Of a pre-activation ResNet without projections; decayed: the weights of convolutions and of the classifier.
struct ParameterCount {
    int64_t decayed, all;
};
ParameterCount parameter_count(int depth);

}  // namespace bench
