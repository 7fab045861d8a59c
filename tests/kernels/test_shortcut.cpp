#include "kernels/shortcut.h"

#include <vector>

#include "tests/catch.h"
#include "tests/kernels/devices.h"
#include "tests/kernels/values.h"

using residual::kernels::bfloat16;
using residual::kernels::ShortcutShape;

namespace {

const ShortcutShape kShapes[] = {
    {1, 2, 2, 1, 1},      // one pixel out
    {1, 1, 1, 3, 7},      // one pixel in: none pooled, one subsampled
    {2, 5, 7, 3, 6},      // odd sizes, an odd number of zeros
    {3, 4, 2, 5, 5},      // no zeros
    {1, 3, 3, 13, 30},    // tails
    {4, 32, 32, 16, 32},  // as in the network
    {2, 16, 16, 32, 64},
};

// Element (image, row, column, channel) of an NHWC tensor.
size_t at(int height, int width, int channels, int n, int h, int w, int c) {
    return ((static_cast<size_t>(n) * height + h) * width + w) * channels + c;
}

struct Reference {
    std::vector<double> y, dx;
};

// Both directions from the definition: `window` 2 averages 2x2 pixels, `window` 1 copies the upper left one.
template <class T>
Reference reference(const ShortcutShape& s, int window, int out_height, int out_width, const std::vector<T>& x,
                    const std::vector<T>& dy) {
    const int before = (s.out_channels - s.in_channels) / 2;
    Reference result;
    result.y.assign(static_cast<size_t>(s.batch) * out_height * out_width * s.out_channels, 0.0);
    result.dx.assign(x.size(), 0.0);
    for (int n = 0; n < s.batch; ++n)
        for (int h = 0; h < out_height; ++h)
            for (int w = 0; w < out_width; ++w)
                for (int c = 0; c < s.in_channels; ++c)
                    for (int dh = 0; dh < window; ++dh)
                        for (int dw = 0; dw < window; ++dw) {
                            const size_t in = at(s.height, s.width, s.in_channels, n, 2 * h + dh, 2 * w + dw, c);
                            const size_t out = at(out_height, out_width, s.out_channels, n, h, w, before + c);
                            result.y[out] += to_double(x[in]) / (window * window);
                            result.dx[in] += to_double(dy[out]) / (window * window);
                        }
    return result;
}

template <class Device, class T>
void avgpool_of() {
    for (const ShortcutShape& s : kShapes) {
        CAPTURE(s.batch, s.height, s.width, s.in_channels, s.out_channels);
        const int height = s.height / 2, width = s.width / 2;
        const auto x = uniform_values<T>(static_cast<size_t>(s.batch) * s.height * s.width * s.in_channels, 1);
        const auto dy = uniform_values<T>(static_cast<size_t>(s.batch) * height * width * s.out_channels, 2);
        const Reference expected = reference(s, 2, height, width, x, dy);
        typename Device::template Array<T> input(x), upstream(dy), y(dy.size()), dx(x.size());
        residual::kernels::avgpool_zeropad(Device::exec(), s, input.data(), y.data());
        check_close(y.read(), expected.y);
        residual::kernels::avgpool_zeropad_backward(Device::exec(), s, upstream.data(), dx.data());
        check_equal(dx.read(), expected.dx);
    }
}

template <class Device>
void avgpool_cases() {
    avgpool_of<Device, float>();
    avgpool_of<Device, bfloat16>();
}

template <class Device, class T>
void subsample_of() {
    for (const ShortcutShape& s : kShapes) {
        CAPTURE(s.batch, s.height, s.width, s.in_channels, s.out_channels);
        const int height = (s.height + 1) / 2, width = (s.width + 1) / 2;
        const auto x = uniform_values<T>(static_cast<size_t>(s.batch) * s.height * s.width * s.in_channels, 3);
        const auto dy = uniform_values<T>(static_cast<size_t>(s.batch) * height * width * s.out_channels, 4);
        const Reference expected = reference(s, 1, height, width, x, dy);
        typename Device::template Array<T> input(x), upstream(dy), y(dy.size()), dx(x.size());
        residual::kernels::subsample_zeropad(Device::exec(), s, input.data(), y.data());
        check_equal(y.read(), expected.y);
        residual::kernels::subsample_zeropad_backward(Device::exec(), s, upstream.data(), dx.data());
        check_equal(dx.read(), expected.dx);
    }
}

template <class Device>
void subsample_cases() {
    subsample_of<Device, float>();
    subsample_of<Device, bfloat16>();
}

}  // namespace

DEVICE_TEST_CASE("Average pool with channel zero-pad and its gradient", "[kernels][shortcut]", avgpool_cases)
DEVICE_TEST_CASE("Subsample with channel zero-pad and its gradient", "[kernels][shortcut]", subsample_cases)
