// Shapes of the tests that compare convolution and batch norm on CUDA with the CPU.
#pragma once

#include <vector>

#include "engine/backend/backend.h"

namespace residual {

// batch, height, width, in_channels, out_channels, kernel, stride, padding: top, bottom, left, right
inline const std::vector<Conv2dParams> kConvolutions = {
    {2, 32, 32, 3, 16, 3, 1, 1, 1, 1, 1},   // stem
    {3, 32, 32, 16, 16, 3, 1, 1, 1, 1, 1},  //
    {2, 32, 32, 16, 32, 3, 2, 0, 1, 0, 1},  // "same" padding of an even size with stride 2
    {2, 32, 32, 16, 32, 3, 2, 1, 1, 1, 1},  // symmetric padding
    {5, 16, 16, 32, 64, 1, 2, 0, 0, 0, 0},  // projection
    {128, 8, 8, 64, 64, 3, 1, 1, 1, 1, 1},  //
    {1, 7, 5, 5, 7, 3, 1, 1, 1, 0, 2},      // odd extents
    {2, 9, 6, 8, 4, 3, 2, 2, 1, 0, 1},      // padding differs by side
    {1, 6, 7, 8, 8, 5, 3, 1, 1, 2, 2},      // padding equal on opposite sides only
    {1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0},      // smallest shape
};

// Shapes that the networks do not have; cuDNN has no batch norm for these numbers of channels.
inline const std::vector<Shape> kOddActivations = {{3, 5, 7, 5}, {7, 1, 1, 33}};
inline const std::vector<Shape> kActivations = {
    {4, 8, 8, 16}, {128, 4, 4, 64}, {2, 32, 32, 16}, kOddActivations[0], kOddActivations[1]};

// Runs all convolutions and the odd batch norms with arbitrary operands.
inline void run_shapes(Backend& backend, DType dtype) {
    for (const Conv2dParams& p : kConvolutions) {
        const Tensor x = backend.zeros(p.input_shape(), dtype), w = backend.zeros(p.weight_shape(), dtype),
                     y = backend.zeros(p.output_shape(), dtype), dw = backend.zeros(w.shape(), DType::kFloat32);
        backend.conv2d(p, x, w, y);
        backend.conv2d_backward_data(p, y, w, x);
        backend.conv2d_backward_weight(p, x, y, dw);
    }
    for (const Shape& shape : kOddActivations) {
        const Shape channels{shape[-1]};
        const auto vector = [&] { return backend.zeros(channels, DType::kFloat32); };
        const Tensor x = backend.zeros(shape, dtype), y = backend.zeros(shape, dtype), dx = backend.zeros(shape, dtype),
                     other = backend.zeros(shape, dtype), dother = backend.zeros(shape, dtype);
        for (const bool relu : {false, true}) {
            for (const bool adds : {false, true}) {
                const BatchNormParams p{{vector(), vector()}, vector(), vector(), 1e-3f, relu};
                const Tensor residual = adds ? other : Tensor(), dresidual = adds && relu ? dother : Tensor();
                backend.batch_norm(p, x, residual, y);
                const SavedStats saved = backend.batch_norm_training(p, {{vector(), vector()}, 0.9f}, x, residual, y);
                backend.batch_norm_training_backward(p, saved, x, y, y, dx, false, dresidual, {vector(), vector()});
            }
        }
    }
}

}  // namespace residual
