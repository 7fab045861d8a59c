#include "kernels/pad.h"

#include <vector>

#include "tests/catch.h"
#include "tests/kernels/devices.h"
#include "tests/kernels/values.h"

using residual::kernels::bfloat16;
using residual::kernels::PadShape;

namespace {

const PadShape kShapes[] = {
    {1, 1, 1, 1, 0, 0, 0, 0},     // no padding
    {1, 1, 1, 3, 0, 1, 0, 1},     // one pixel
    {2, 5, 7, 3, 1, 2, 3, 4},     // a different padding on every side
    {3, 4, 3, 13, 2, 0, 0, 1},    // tails
    {2, 32, 32, 16, 0, 1, 0, 1},  // "same" of a stride-2 convolution
};

template <class Device, class T>
void pad_of() {
    for (const PadShape& s : kShapes) {
        CAPTURE(s.batch, s.height, s.width, s.channels, s.top, s.bottom, s.left, s.right);
        const int height = s.top + s.height + s.bottom, width = s.left + s.width + s.right;
        const auto x = uniform_values<T>(static_cast<size_t>(s.batch) * s.height * s.width * s.channels, 1);
        const auto dy = uniform_values<T>(static_cast<size_t>(s.batch) * height * width * s.channels, 2);
        std::vector<double> expected_y(dy.size(), 0.0), expected_dx(x.size());
        for (int n = 0; n < s.batch; ++n)
            for (int h = 0; h < s.height; ++h)
                for (int w = 0; w < s.width; ++w)
                    for (int c = 0; c < s.channels; ++c) {
                        const size_t in = ((static_cast<size_t>(n) * s.height + h) * s.width + w) * s.channels + c;
                        const size_t out =
                            ((static_cast<size_t>(n) * height + h + s.top) * width + w + s.left) * s.channels + c;
                        expected_y[out] = to_double(x[in]);
                        expected_dx[in] = to_double(dy[out]);
                    }
        typename Device::template Array<T> input(x), upstream(dy), y(dy.size()), dx(x.size());
        residual::kernels::spatial_pad(Device::exec(), s, input.data(), y.data());
        check_equal(y.read(), expected_y);
        residual::kernels::spatial_crop(Device::exec(), s, upstream.data(), dx.data());
        check_equal(dx.read(), expected_dx);
    }
}

template <class Device>
void pad_cases() {
    pad_of<Device, float>();
    pad_of<Device, bfloat16>();
}

}  // namespace

DEVICE_TEST_CASE("Spatial zero-pad and its gradient", "[kernels][pad]", pad_cases)
