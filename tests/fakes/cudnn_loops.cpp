// Convolution and its two gradients as plain loops.
#include "tests/fakes/cudnn_loops.h"

namespace fakes {
namespace {

// Calls visit(offset of the input pixel in x, tap) for each tap of an output pixel that is inside the image.
template <class Visit>
void for_taps(const ConvolutionGeometry& g, int n, int out_row, int out_column, SumOrder order, Visit visit) {
    for (int i = 0; i < g.taps(); ++i) {
        const int tap = order.at(i, g.taps());
        const int row = out_row * g.stride_h - g.pad_h + tap / g.kernel_w * g.dilation_h;
        const int column = out_column * g.stride_w - g.pad_w + tap % g.kernel_w * g.dilation_w;
        if (row < 0 || row >= g.h || column < 0 || column >= g.w) continue;
        visit(((size_t(n) * g.h + row) * g.w + column) * g.c, tap);
    }
}

// Calls visit(row, column, offset of the pixel in y) for each output pixel of image n.
template <class Visit>
void for_pixels(const ConvolutionGeometry& g, int n, SumOrder order, Visit visit) {
    for (int i = 0; i < g.out_h * g.out_w; ++i) {
        const int pixel = order.at(i, g.out_h * g.out_w);
        visit(pixel / g.out_w, pixel % g.out_w, (size_t(n) * g.out_h * g.out_w + pixel) * g.k);
    }
}

// to[0..count) += factor * from[0..count)
void add_scaled(float* to, float factor, const float* from, int count) {
    for (int i = 0; i < count; ++i) to[i] += factor * from[i];
}

// Transposes [k, taps, c] to [taps, c, k], so that the inner loop of the forward pass is contiguous.
std::vector<float> with_outputs_innermost(const ConvolutionGeometry& g, const std::vector<float>& w) {
    std::vector<float> transposed(w.size());
    const size_t inner = size_t(g.taps()) * g.c;
    for (size_t k = 0; k < size_t(g.k); ++k) {
        for (size_t i = 0; i < inner; ++i) transposed[i * g.k + k] = w[k * inner + i];
    }
    return transposed;
}

}  // namespace

std::vector<float> convolve(const ConvolutionGeometry& g, const std::vector<float>& x, const std::vector<float>& w,
                            SumOrder order) {
    const std::vector<float> transposed = with_outputs_innermost(g, w);
    std::vector<float> y(g.y_elements());
    for (int n = 0; n < g.n; ++n) {
        for_pixels(g, n, {}, [&](int row, int column, size_t at_y) {
            for_taps(g, n, row, column, order, [&](size_t at_x, int tap) {
                for (int i = 0; i < g.c; ++i) {
                    const int c = order.at(i, g.c);
                    add_scaled(&y[at_y], x[at_x + c], &transposed[(size_t(tap) * g.c + c) * g.k], g.k);
                }
            });
        });
    }
    return y;
}

std::vector<float> convolve_backward_data(const ConvolutionGeometry& g, const std::vector<float>& w,
                                          const std::vector<float>& dy, SumOrder order) {
    std::vector<float> dx(g.x_elements());
    for (int n = 0; n < g.n; ++n) {
        for_pixels(g, n, order, [&](int row, int column, size_t at_y) {
            for_taps(g, n, row, column, order, [&](size_t at_x, int tap) {
                for (int k = 0; k < g.k; ++k) {
                    add_scaled(&dx[at_x], dy[at_y + k], &w[(size_t(k) * g.taps() + tap) * g.c], g.c);
                }
            });
        });
    }
    return dx;
}

// Sums each image separately: shorter float32 sums lose less precision.
std::vector<float> convolve_backward_filter(const ConvolutionGeometry& g, const std::vector<float>& x,
                                            const std::vector<float>& dy, SumOrder order) {
    std::vector<float> dw(g.w_elements());
    for (int i = 0; i < g.n; ++i) {
        const int n = order.at(i, g.n);
        std::vector<float> of_image(dw.size());
        for_pixels(g, n, order, [&](int row, int column, size_t at_y) {
            for_taps(g, n, row, column, {}, [&](size_t at_x, int tap) {
                for (int k = 0; k < g.k; ++k) {
                    add_scaled(&of_image[(size_t(k) * g.taps() + tap) * g.c], dy[at_y + k], &x[at_x], g.c);
                }
            });
        });
        for (size_t j = 0; j < dw.size(); ++j) dw[j] += of_image[j];
    }
    return dw;
}

}  // namespace fakes
