// Convolutions and matrix products on CUDA, compared with the CPU.
#include "tests/backend/cuda_and_cpu.h"
#include "tests/backend/shapes.h"
#include "tests/catch.h"

using namespace residual;

namespace {

std::string text_of(const Conv2dParams& p) {
    return "x " + p.input_shape().to_string() + ", w " + p.weight_shape().to_string() + ", stride " +
           std::to_string(p.stride) + ", padding " + std::to_string(p.pad_top) + " " + std::to_string(p.pad_bottom) +
           " " + std::to_string(p.pad_left) + " " + std::to_string(p.pad_right);
}

}  // namespace

TEST_CASE("convolution and its gradients on CUDA match the CPU", "[gpu]") {
    if (skipped_without_gpu()) return;
    CudaAndCpu devices;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        for (const Conv2dParams& p : kConvolutions) {
            INFO(text_of(p) << " " << name_of(dtype));
            const auto x = devices.random(p.input_shape(), dtype), w = devices.random(p.weight_shape(), dtype);
            const auto dy = devices.random(p.output_shape(), dtype);
            const auto y = devices.output(p.output_shape(), dtype), dx = devices.output(p.input_shape(), dtype);
            const auto dw = devices.output(p.weight_shape(), DType::kFloat32);
            devices.run([&](Backend& backend, int side) {
                backend.conv2d(p, x[side], w[side], y[side]);
                backend.conv2d_backward_data(p, dy[side], w[side], dx[side]);
                backend.conv2d_backward_weight(p, x[side], dy[side], dw[side]);
            });
            CHECK(devices.error(y) <= tolerance(dtype));
            CHECK(devices.error(dx) <= tolerance(dtype));
            CHECK(devices.error(dw) <= tolerance(dtype));
        }
    }
}

TEST_CASE("matrix products on CUDA match the CPU, transposed or not", "[gpu]") {
    if (skipped_without_gpu()) return;
    CudaAndCpu devices;
    struct Extents {
        int m, n, k;
    };
    for (const auto& [m, n, k] : std::vector<Extents>{{128, 10, 64}, {10, 64, 128}, {3, 5, 7}, {1, 1, 1}}) {
        for (const bool transpose_a : {false, true}) {
            for (const bool transpose_b : {false, true}) {
                INFO(m << "x" << n << "x" << k << " " << transpose_a << " " << transpose_b);
                const auto a = devices.random(transpose_a ? Shape{k, m} : Shape{m, k}, DType::kFloat32);
                const auto b = devices.random(transpose_b ? Shape{n, k} : Shape{k, n}, DType::kFloat32);
                const auto c = devices.output({m, n}, DType::kFloat32);
                devices.run([&](Backend& backend, int side) {
                    backend.matmul(a[side], transpose_a, b[side], transpose_b, c[side]);
                });
                CHECK(devices.error(c) <= tolerance(DType::kFloat32));
            }
        }
    }
}

TEST_CASE("TF32 convolutions are accurate to ten mantissa bits", "[gpu]") {
    if (skipped_without_gpu()) return;
    const auto cpu = make_cpu_backend();
    const auto gpu = make_cuda_backend({.deterministic = true, .allow_tf32 = true});
    const Conv2dParams p{8, 16, 16, 32, 32, 3, 1, 1, 1, 1, 1};
    CudaAndCpu devices;
    const auto x = devices.random(p.input_shape(), DType::kFloat32),
               w = devices.random(p.weight_shape(), DType::kFloat32);
    const Tensor y_cpu = cpu->empty(p.output_shape(), DType::kFloat32),
                 y_gpu = gpu->empty(p.output_shape(), DType::kFloat32);
    cpu->conv2d(p, x[0], w[0], y_cpu);
    gpu->conv2d(p, to_device(*gpu, floats_of(devices.gpu(), x[1]), p.input_shape(), DType::kFloat32),
                to_device(*gpu, floats_of(devices.gpu(), w[1]), p.weight_shape(), DType::kFloat32), y_gpu);
    CHECK(relative_error(floats_of(*gpu, y_gpu), floats_of(*cpu, y_cpu)) <= 2e-3);
}
