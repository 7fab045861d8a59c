// kernel-bench's check rejects wrong results, and every case passes it.
#include <cmath>
#include <limits>

#include "tests/catch.h"
#include "tools/bench/kernel_bench/cases.h"
#include "tools/bench/kernel_bench/check.h"

using residual::DType;
using residual::Tensor;
using residual::bench::Operands;
using residual::bench::Trial;
using residual::bench::Values;
using residual::bench::Verdict;

namespace {

// The verdict on a kernel that writes `found` instead of 1, -1, 1, -1 ... times `factor`.
template <class T>
Verdict judged(residual::Backend& backend, const std::vector<T>& found, double factor, DType activations) {
    const Tensor tensor = backend.from_host(found.data(), {static_cast<int64_t>(found.size())});
    const Trial trial{[] {}, {{"y", tensor, [] { return Values{1.0, -1.0}; }, factor}}, 1.0};
    return residual::bench::check(backend, trial, activations);
}

}  // namespace

TEST_CASE("kernel-bench's check finds one wrong element among many", "[tools]") {
    const auto backend = residual::make_cpu_backend();
    std::vector<float> values(100000);
    for (size_t i = 0; i < values.size(); ++i) values[i] = i % 2 == 0 ? 3.0f : -3.0f;
    CHECK(judged(*backend, values, 3.0, DType::kFloat32).right);
    CHECK_FALSE(judged(*backend, values, 1.0, DType::kFloat32).right);

    values[77777] = -2.99f;
    const Verdict close = judged(*backend, values, 3.0, DType::kFloat32);
    CHECK_FALSE(close.right);
    CHECK(close.error == Approx(0.01 / 3).epsilon(1e-3));
    CHECK(close.output == "y");
    CHECK(judged(*backend, values, 3.0, DType::kBFloat16).right);

    values[77777] = 3.0f;
    CHECK_FALSE(judged(*backend, values, 3.0, DType::kBFloat16).right);
    values[77777] = std::numeric_limits<float>::quiet_NaN();
    CHECK_FALSE(judged(*backend, values, 3.0, DType::kBFloat16).right);
}

TEST_CASE("kernel-bench's check finds an integer that is off by one", "[tools]") {
    const auto backend = residual::make_cpu_backend();
    std::vector<int32_t> labels(4000);
    for (size_t i = 0; i < labels.size(); ++i) labels[i] = i % 2 == 0 ? 1000 : -1000;
    CHECK(judged(*backend, labels, 1000.0, DType::kBFloat16).right);
    labels[3999] += 1;
    CHECK_FALSE(judged(*backend, labels, 1000.0, DType::kBFloat16).right);
}

TEST_CASE("a result that the kernel does not write is wrong", "[tools]") {
    const auto backend = residual::make_cpu_backend();
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        Operands operands(*backend, dtype, 3);
        Trial trial = residual::bench::relu(operands, residual::bench::network_layers().stages[2]);
        trial.run = [] {};
        CHECK_FALSE(residual::bench::check(*backend, trial, dtype).right);
    }
}

TEST_CASE("every case is right on the CPU in bfloat16, for batches with and without repeats", "[tools]") {
    const auto backend = residual::make_cpu_backend();
    for (const auto& c : residual::bench::all_cases({3, 16}, DType::kBFloat16)) {
        if (c.fused) continue;
        Operands operands(*backend, c.dtype, std::max(c.batch, 1));
        const Verdict verdict = residual::bench::check(*backend, c.family->composed(operands, *c.layer), c.dtype);
        INFO(c.name() << ": " << verdict.output << " is off by " << verdict.error);
        CHECK(verdict.right);
    }
}
