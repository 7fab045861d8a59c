#if defined(RESIDUAL_CUDA)

#include "kernels/matrix_peak.h"

#include "tests/catch.h"
#include "tests/kernels/devices.h"

namespace {

// The sum of a lane's elements of the 16x8 results: rows g and g + 8, columns 2t and 2t + 1.
int lane_sum(int lane) {
    const int g = lane / 4, t = lane % 4;
    int sum = 0;
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 4; ++j)
            for (const int row : {g, g + 8})
                for (const int column : {2 * t, 2 * t + 1})
                    for (int k = 0; k < 16; ++k) {
                        sum += ((5 * row + 3 * k + 2 * i) % 7 - 3) * ((3 * k + 2 * column + j) % 5 - 2);
                    }
    return sum;
}

void check(int blocks, int repeats) {
    CudaDevice::Array<float> sums(static_cast<size_t>(blocks) * residual::kernels::kMatrixPeakThreads);
    residual::kernels::matrix_peak(CudaDevice::exec(), blocks, repeats, sums.data());
    const auto found = sums.read();
    size_t wrong = 0;
    // Small integers: every sum is exact in float32.
    for (size_t i = 0; i < found.size(); ++i) {
        wrong += found[i] == static_cast<float>(repeats * lane_sum(static_cast<int>(i % 32))) ? 0 : 1;
    }
    CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("The tensor-core peak benchmark computes the products that it counts", "[gpu]") {
    if (skipped_without_gpu()) return;
    REQUIRE(lane_sum(0) == -2);  // The lanes differ, to detect an element in the wrong lane.
    REQUIRE(lane_sum(2) == 28);
    check(1, 1);
    check(3, 7);
    check(2, 0);
}

#endif
