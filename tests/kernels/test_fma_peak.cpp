#include "kernels/fma_peak.h"

#include <omp.h>

#include "tests/catch.h"
#include "tests/kernels/devices.h"

namespace {

template <class Device>
void counts_operations() {
    const double threads = omp_get_max_threads();
    float value = 0.5f;
    const double one = residual::kernels::multiply_add_rounds(Device::exec(), 1, &value);
    CHECK(one >= threads * 2);
    CHECK(residual::kernels::multiply_add_rounds(Device::exec(), 1000, &value) == 1000 * one);
    CHECK(value == 0.5f);
}

}  // namespace

HOST_TEST_CASE("The FMA peak benchmark counts the operations of every thread", "[kernels]", counts_operations)
