#if defined(RESIDUAL_CUDA)

#include "kernels/matrix_peak.h"

#include "tests/catch.h"
#include "tests/kernels/places.h"

namespace {

// The elements of a 16x8 result that a lane holds: rows g and g + 8, columns 2t and 2t + 1.
int share_of(int lane) {
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
    CudaPlace::Array<float> sums(static_cast<size_t>(blocks) * residual::kernels::kMatrixPeakThreads);
    residual::kernels::matrix_peak(CudaPlace::exec(), blocks, repeats, sums.data());
    const auto found = sums.read();
    size_t wrong = 0;
    // Small integers: float32 holds every sum exactly.
    for (size_t i = 0; i < found.size(); ++i) {
        wrong += found[i] == static_cast<float>(repeats * share_of(static_cast<int>(i % 32))) ? 0 : 1;
    }
    CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("the yardstick of tensor cores makes the products that it counts", "[gpu]") {
    if (!CudaPlace::present()) {
        WARN("skipped: no GPU");
        return;
    }
    REQUIRE(share_of(0) == -2);  // The lanes differ, so an element in a wrong lane shows.
    REQUIRE(share_of(2) == 28);
    check(1, 1);
    check(3, 7);
    check(2, 0);
}

#endif
