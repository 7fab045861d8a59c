#include "tools/bench/kernel_bench/shortcut_reference.h"

namespace residual::bench {

namespace {

// Shortcuts: y [images, rows, columns, out] from value(image, row, column, channel of x).
template <class Value>
Values padded_channels(size_t images, int rows, int columns, int channels, int out_channels, Value value) {
    Values y(images * rows * columns * out_channels);
    const int before = (out_channels - channels) / 2;
    for (size_t n = 0; n < images; ++n)
        for (int row = 0; row < rows; ++row)
            for (int column = 0; column < columns; ++column)
                for (int c = 0; c < channels; ++c) {
                    y[((n * rows + row) * columns + column) * out_channels + before + c] = value(n, row, column, c);
                }
    return y;
}

}  // namespace

Values avgpool_pad_reference(const Values& x, int height, int width, int channels, int out_channels) {
    const size_t images = x.size() / (static_cast<size_t>(height) * width * channels);
    return padded_channels(images, height / 2, width / 2, channels, out_channels,
                           [&](size_t n, int row, int column, int c) {
                               double sum = 0;
                               for (int i = 0; i < 2; ++i)
                                   for (int j = 0; j < 2; ++j) {
                                       sum += x[((n * height + 2 * row + i) * width + 2 * column + j) * channels + c];
                                   }
                               return sum / 4;
                           });
}

Values subsample_pad_reference(const Values& x, int height, int width, int channels, int out_channels) {
    const size_t images = x.size() / (static_cast<size_t>(height) * width * channels);
    return padded_channels(images, (height + 1) / 2, (width + 1) / 2, channels, out_channels,
                           [&](size_t n, int row, int column, int c) {
                               return x[((n * height + 2 * row) * width + 2 * column) * channels + c];
                           });
}

}  // namespace residual::bench
