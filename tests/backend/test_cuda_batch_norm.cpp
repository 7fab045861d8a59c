// Batch norm on CUDA, compared with the CPU.
#include "tests/backend/cuda_and_cpu.h"
#include "tests/backend/shapes.h"
#include "tests/catch.h"

using namespace residual;

namespace {

using Both = CudaAndCpu::Both;

struct BatchNorm {
    Both mean, variance, gamma, beta;

    BatchNormParams params(int side, bool relu) const {
        return {{mean[side], variance[side]}, gamma[side], beta[side], 1e-3f, relu};
    }
};

BatchNorm random_batch_norm(CudaAndCpu& devices, int64_t channels) {
    return {devices.random({channels}, DType::kFloat32), devices.random({channels}, DType::kFloat32, 0.2f, 2),
            devices.random({channels}, DType::kFloat32, 0.5f, 2), devices.random({channels}, DType::kFloat32)};
}

// A batch norm with the statistics of x.
BatchNorm batch_norm_of(CudaAndCpu& devices, const Both& x) {
    const int64_t channels = x[0].shape()[-1];
    BatchNorm batch_norm = random_batch_norm(devices, channels);
    devices.run([&](Backend& backend, int side) {
        backend.batch_stats(x[side], {batch_norm.mean[side], batch_norm.variance[side]});
    });
    return batch_norm;
}

// A random dy, zero where the batch norm of x is so close to zero that rounding decides the ReLU's mask.
Both gradient_away_from_zero(CudaAndCpu& devices, const BatchNorm& batch_norm, const Both& x) {
    const Tensor& input = x[0];
    const Tensor normalised = devices.cpu().empty(input.shape(), input.dtype());
    devices.cpu().batch_norm(batch_norm.params(0, false), input, Tensor(), normalised);
    const std::vector<float> distance = floats_of(devices.cpu(), normalised);
    std::vector<float> dy = floats_of(devices.cpu(), devices.random(input.shape(), input.dtype())[0]);
    const float close = input.dtype() == DType::kFloat32 ? 1e-4f : 2e-2f;
    for (size_t i = 0; i < dy.size(); ++i) {
        if (std::abs(distance[i]) < close) dy[i] = 0;
    }
    return devices.from_floats(dy, input.shape(), input.dtype());
}

}  // namespace

TEST_CASE("batch statistics on CUDA match the CPU", "[gpu]") {
    if (skipped_without_gpu()) return;
    CudaAndCpu devices;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        for (const Shape& shape : kActivations) {
            INFO(shape.to_string() << " " << name_of(dtype));
            // With a mean of several standard deviations, raw sums of squares would lose precision in the variance.
            const auto x = devices.random(shape, dtype, 3, 5), residual = devices.random(shape, dtype);
            const int64_t channels = shape[-1];
            const auto mean_x = devices.output({channels}, DType::kFloat32);
            const auto variance_x = devices.output({channels}, DType::kFloat32);
            devices.run([&](Backend& backend, int side) {
                backend.batch_stats(x[side], {mean_x[side], variance_x[side]});
            });
            CHECK(devices.error(mean_x) <= tolerance(DType::kFloat32));
            CHECK(devices.error(variance_x) <= tolerance(DType::kFloat32));

            const auto mean_y = devices.output({channels}, DType::kFloat32);
            const auto variance_y = devices.output({channels}, DType::kFloat32);
            devices.run([&](Backend& backend, int side) {
                backend.add_batch_stats(residual[side], x[side], {mean_y[side], variance_y[side]});
            });
            CHECK(devices.error(x) <= tolerance(DType::kFloat32));
            CHECK(devices.error(mean_y) <= tolerance(DType::kFloat32));
            CHECK(devices.error(variance_y) <= tolerance(DType::kFloat32));

            const auto running_mean = devices.random({channels}, DType::kFloat32);
            const auto running_variance = devices.random({channels}, DType::kFloat32, 0.5f, 2);
            devices.run([&](Backend& backend, int side) {
                backend.update_running({mean_y[side], variance_y[side]}, shape.elements() / channels, 0.9f,
                                       {running_mean[side], running_variance[side]});
            });
            CHECK(devices.error(running_mean) <= tolerance(DType::kFloat32));
            CHECK(devices.error(running_variance) <= tolerance(DType::kFloat32));
        }
    }
}

TEST_CASE("batch norm on CUDA matches the CPU: ReLU, residual, in place", "[gpu]") {
    if (skipped_without_gpu()) return;
    CudaAndCpu devices;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        for (const Shape& shape : kActivations) {
            const auto x = devices.random(shape, dtype, -2, 2), residual = devices.random(shape, dtype);
            const BatchNorm batch_norm = random_batch_norm(devices, shape[-1]);
            for (const bool relu : {false, true}) {
                INFO(shape.to_string() << " " << name_of(dtype) << " relu " << relu);
                const auto y = devices.output(shape, dtype), sum = devices.output(shape, dtype);
                const auto in_place = devices.output(shape, dtype);
                devices.run([&](Backend& backend, int side) {
                    const BatchNormParams p = batch_norm.params(side, relu);
                    backend.batch_norm(p, x[side], Tensor(), y[side]);
                    backend.batch_norm(p, x[side], residual[side], sum[side]);
                    backend.copy(x[side], in_place[side]);
                    backend.batch_norm(p, in_place[side], Tensor(), in_place[side]);
                });
                CHECK(devices.error(y) <= tolerance(dtype));
                CHECK(devices.error(sum) <= tolerance(dtype));
                CHECK(devices.error(in_place) <= tolerance(dtype));
            }
        }
    }
}

TEST_CASE("the gradient of batch norm on CUDA matches the CPU: ReLU, accumulated, in place", "[gpu]") {
    if (skipped_without_gpu()) return;
    CudaAndCpu devices;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        for (const Shape& shape : kActivations) {
            const auto x = devices.random(shape, dtype, -2, 2);
            const BatchNorm batch_norm = batch_norm_of(devices, x);
            const auto dy = gradient_away_from_zero(devices, batch_norm, x);
            for (const bool relu : {false, true}) {
                INFO(shape.to_string() << " " << name_of(dtype) << " relu " << relu);
                const Shape channels{shape[-1]};
                const auto dx = devices.output(shape, dtype), added = devices.random(shape, dtype);
                const auto in_place = devices.output(shape, dtype);
                const auto dgamma = devices.output(channels, DType::kFloat32);
                const auto dbeta = devices.output(channels, DType::kFloat32);
                devices.run([&](Backend& backend, int side) {
                    const BatchNormParams p = batch_norm.params(side, relu);
                    backend.batch_norm_backward(p, x[side], dy[side], dx[side], false, {dgamma[side], dbeta[side]});
                    backend.batch_norm_backward(p, x[side], dy[side], added[side], true, {dgamma[side], dbeta[side]});
                    backend.copy(dy[side], in_place[side]);
                    backend.batch_norm_backward(p, x[side], in_place[side], in_place[side], false,
                                                {dgamma[side], dbeta[side]});
                });
                CHECK(devices.error(dx) <= tolerance(dtype));
                CHECK(devices.error(added) <= tolerance(dtype));
                CHECK(devices.error(in_place) <= tolerance(dtype));
                CHECK(devices.error(dgamma) <= tolerance(dtype));
                CHECK(devices.error(dbeta) <= tolerance(dtype));
            }
        }
    }
}

TEST_CASE("batch norm in training on CUDA matches the CPU: ReLU, residual, running statistics, accumulated", "[gpu]") {
    if (skipped_without_gpu()) return;
    CudaAndCpu devices;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        for (const Shape& shape : kActivations) {
            const Shape channels{shape[-1]};
            const auto x = devices.random(shape, dtype, -2, 2);
            const BatchNorm batch_norm = batch_norm_of(devices, x);
            const auto dy = gradient_away_from_zero(devices, batch_norm, x);
            // So large that the rounding of the sum does not decide the ReLU's mask.
            const auto residual = devices.random(shape, dtype, 8, 9);
            for (const auto& [relu, adds] : {std::pair{false, false}, {true, false}, {false, true}, {true, true}}) {
                INFO(shape.to_string() << " " << name_of(dtype) << " relu " << relu << " residual " << adds);
                const auto running_mean = devices.random(channels, DType::kFloat32);
                const auto running_variance = devices.random(channels, DType::kFloat32, 0.5f, 2);
                const auto y = devices.output(shape, dtype), dresidual = devices.output(shape, dtype);
                const auto dx = devices.output(shape, dtype), added = devices.random(shape, dtype);
                const auto dgamma = devices.output(channels, DType::kFloat32);
                const auto dbeta = devices.output(channels, DType::kFloat32);
                devices.run([&](Backend& backend, int side) {
                    const BatchNormParams p = batch_norm.params(side, relu);
                    const RunningUpdate running{{running_mean[side], running_variance[side]}, 0.9f};
                    const Tensor masked = adds && relu ? dresidual[side] : Tensor();
                    // Twice, because the running statistics are updated in place.
                    backend.batch_norm_training(p, running, x[side], adds ? residual[side] : Tensor(), y[side]);
                    const SavedStats saved =
                        backend.batch_norm_training(p, running, x[side], adds ? residual[side] : Tensor(), y[side]);
                    for (const bool accumulate : {false, true}) {
                        backend.batch_norm_training_backward(p, saved, x[side], y[side], dy[side],
                                                             accumulate ? added[side] : dx[side], accumulate, masked,
                                                             {dgamma[side], dbeta[side]});
                    }
                });
                CHECK(devices.error(y) <= tolerance(dtype));
                CHECK(devices.error(running_mean) <= tolerance(DType::kFloat32));
                CHECK(devices.error(running_variance) <= tolerance(DType::kFloat32));
                CHECK(devices.error(dx) <= tolerance(dtype));
                CHECK(devices.error(added) <= tolerance(dtype));
                CHECK(devices.error(dgamma) <= tolerance(dtype));
                CHECK(devices.error(dbeta) <= tolerance(dtype));
                if (adds && relu) CHECK(devices.error(dresidual) == 0);
            }
        }
    }
}
