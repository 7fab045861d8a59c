// The convolutions under test: those of the networks, with odd and tiny sizes and with tails.
#pragma once

#include "engine/ops/conv.h"

// No case has two rows per channel: with two values the terms of the gradient through the statistics cancel, and the
// difference is mostly rounding error.
enum class Prologue { kNone, kBatchNorm, kBatchNormRelu };
enum class Residual { kNone, kOther, kInput };
enum class NormalisedInput { kUnwanted, kUnused, kUsed };

struct ConvCase {
    const char* name;
    int batch, height, width, in, out;
    int kernel, stride;
    residual::ops::Padding padding;
    Prologue prologue = Prologue::kNone;
    Residual residual = Residual::kNone;
    bool stats = false;
    NormalisedInput p = NormalisedInput::kUnwanted;
    bool x_requires_grad = true;
};

constexpr auto kSame = residual::ops::Padding::kSame;
constexpr auto kSymmetric = residual::ops::Padding::kSymmetric;

inline const ConvCase kConvCases[] = {
    {"one pixel", 1, 1, 1, 3, 5, 3, 1, kSame},
    {"one pixel, stride 2", 1, 1, 1, 5, 3, 3, 2, kSame},
    {"one pixel, stride 2, symmetric", 3, 1, 1, 3, 17, 3, 2, kSymmetric},
    {"one pixel, 1x1 kernel", 1, 1, 1, 17, 17, 1, 1, kSame},
    {"one channel", 2, 5, 7, 1, 1, 3, 1, kSame},
    {"one row", 2, 1, 9, 3, 5, 3, 2, kSame},
    {"one column, symmetric", 2, 9, 1, 5, 3, 3, 2, kSymmetric},
    {"two by two, stride 2: padding at the end only", 1, 2, 2, 3, 4, 3, 2, kSame},
    {"even size, stride 2: padding at the end only", 2, 8, 6, 5, 17, 3, 2, kSame},
    {"even size, stride 2, symmetric", 2, 8, 6, 17, 5, 3, 2, kSymmetric},
    {"odd size, stride 2", 3, 7, 5, 17, 3, 3, 2, kSame},
    {"odd size, stride 2, symmetric", 3, 7, 5, 3, 17, 3, 2, kSymmetric},
    {"symmetric, stride 1", 1, 5, 3, 16, 16, 3, 1, kSymmetric},
    {"1x1 kernel, stride 2", 2, 5, 5, 5, 17, 1, 2, kSame},
    {"1x1 kernel, stride 2, even, symmetric", 2, 6, 4, 16, 32, 1, 2, kSymmetric},
    {"5x5 kernel, stride 3", 2, 8, 7, 3, 5, 5, 3, kSame},
    {"stem", 2, 9, 9, 3, 16, 3, 1, kSame, Prologue::kNone, Residual::kNone, true, NormalisedInput::kUnwanted, false},
    {"stem of the post-activation network, one row of statistics", 1, 1, 1, 3, 16, 3, 1, kSymmetric, Prologue::kNone,
     Residual::kNone, true, NormalisedInput::kUnwanted, false},
    {"projection with statistics", 3, 6, 5, 5, 17, 1, 2, kSame, Prologue::kNone, Residual::kNone, true},
    {"batch norm", 2, 5, 5, 3, 5, 3, 1, kSame, Prologue::kBatchNorm},
    {"batch norm, one row", 1, 1, 1, 5, 5, 3, 1, kSame, Prologue::kBatchNormRelu, Residual::kNone, true},
    {"batch norm and ReLU", 2, 5, 3, 17, 5, 3, 1, kSame, Prologue::kBatchNormRelu},
    {"first convolution of a unit", 3, 5, 7, 17, 17, 3, 1, kSame, Prologue::kBatchNormRelu, Residual::kNone, true},
    {"first convolution of a unit with stride 2", 2, 8, 8, 16, 32, 3, 2, kSame, Prologue::kBatchNormRelu,
     Residual::kNone, true},
    {"first convolution of a unit with stride 2, symmetric", 2, 7, 8, 5, 17, 3, 2, kSymmetric, Prologue::kBatchNormRelu,
     Residual::kNone, true},
    {"first convolution, p for the shortcut", 2, 7, 5, 16, 16, 3, 1, kSame, Prologue::kBatchNormRelu, Residual::kNone,
     true, NormalisedInput::kUsed},
    {"first convolution, p for a projection", 3, 5, 6, 5, 17, 3, 2, kSame, Prologue::kBatchNormRelu, Residual::kNone,
     true, NormalisedInput::kUsed},
    {"p without ReLU", 2, 3, 3, 5, 3, 3, 1, kSame, Prologue::kBatchNorm, Residual::kNone, false,
     NormalisedInput::kUsed},
    {"p is not used", 2, 3, 5, 3, 5, 3, 1, kSame, Prologue::kBatchNormRelu, Residual::kNone, true,
     NormalisedInput::kUnused},
    {"second convolution of a unit", 2, 7, 7, 17, 17, 3, 1, kSame, Prologue::kBatchNormRelu, Residual::kOther, true},
    {"second convolution of the last unit, or in evaluation", 1, 5, 5, 16, 16, 3, 1, kSame, Prologue::kBatchNormRelu,
     Residual::kOther},
    {"second convolution of a plain unit", 2, 5, 4, 17, 17, 3, 1, kSame, Prologue::kBatchNormRelu, Residual::kNone,
     true},
    {"residual without batch norm", 2, 4, 5, 3, 5, 3, 1, kSame, Prologue::kNone, Residual::kOther, true},
    {"residual of a smaller image", 2, 7, 6, 3, 17, 3, 2, kSame, Prologue::kBatchNormRelu, Residual::kOther, true},
    {"the input is the residual", 2, 5, 5, 5, 5, 3, 1, kSame, Prologue::kBatchNormRelu, Residual::kInput, true},
    {"everything at once", 3, 5, 3, 5, 5, 3, 1, kSymmetric, Prologue::kBatchNormRelu, Residual::kInput, true,
     NormalisedInput::kUsed},
    {"the input requires no gradient", 2, 4, 4, 3, 5, 3, 1, kSame, Prologue::kBatchNormRelu, Residual::kNone, true,
     NormalisedInput::kUnwanted, false},
};
