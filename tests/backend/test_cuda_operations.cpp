// Operations with the project's own kernels on CUDA, compared with the CPU.
#include "tests/backend/cuda_and_cpu.h"
#include "tests/catch.h"

using namespace residual;

namespace {

bool close_to(double value, double expected) {
    return std::abs(value - expected) <= 1e-5 * std::abs(expected);
}

using Totals = CudaAndCpu::Both;  // the bytes of kernels::Metrics

Totals zero_totals(CudaAndCpu& devices) {
    const std::vector<uint8_t> zeros(sizeof(kernels::Metrics), 0);
    return devices.from_host(zeros, {static_cast<int64_t>(zeros.size())});
}

// The metrics of the CPU and of the GPU.
std::pair<kernels::Metrics, kernels::Metrics> read(CudaAndCpu& devices, const Totals& totals) {
    std::pair<kernels::Metrics, kernels::Metrics> metrics;
    devices.cpu().download(totals[0], &metrics.first);
    devices.gpu().download(totals[1], &metrics.second);
    return metrics;
}

}  // namespace

TEST_CASE("elementwise operations on CUDA match the CPU", "[gpu]") {
    if (skipped_without_gpu()) return;
    CudaAndCpu devices;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        for (const int64_t n : {1, 7, 1024, 100003}) {
            INFO(n << " " << name_of(dtype));
            const auto a = devices.random({n}, dtype), b = devices.random({n}, dtype);
            const auto positive = devices.output({n}, dtype), gradient = devices.output({n}, dtype);
            const auto sum = devices.output({n}, dtype);
            const DType other = dtype == DType::kFloat32 ? DType::kBFloat16 : DType::kFloat32;
            const auto converted = devices.output({n}, other);
            devices.run([&](Backend& backend, int side) {
                backend.relu(a[side], positive[side]);
                backend.relu_backward(positive[side], b[side], gradient[side]);
                backend.add(a[side], b[side], sum[side]);
                backend.cast(a[side], converted[side]);
            });
            CHECK(devices.error(positive) == 0);
            CHECK(devices.error(gradient) == 0);
            CHECK(devices.error(sum) == 0);
            CHECK(devices.error(converted) == 0);
        }
    }
}

TEST_CASE("shortcuts and their gradients on CUDA match the CPU", "[gpu]") {
    if (skipped_without_gpu()) return;
    CudaAndCpu devices;
    struct Case {
        Shape x;
        int64_t out_channels;
    };
    const std::vector<Case> cases = {
        {{4, 32, 32, 16}, 32}, {{4, 16, 16, 32}, 64}, {{3, 7, 5, 3}, 8}, {{1, 2, 2, 1}, 1}};
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        for (const Case& c : cases) {
            for (const ShortcutKind kind : {ShortcutKind::kAveragePool, ShortcutKind::kSubsample}) {
                INFO(c.x.to_string() << " " << name_of(dtype) << " kind " << static_cast<int>(kind));
                const int64_t round_up = kind == ShortcutKind::kSubsample ? 1 : 0;
                const Shape out{c.x[0], (c.x[1] + round_up) / 2, (c.x[2] + round_up) / 2, c.out_channels};
                const auto x = devices.random(c.x, dtype), dy = devices.random(out, dtype);
                const auto y = devices.output(out, dtype), dx = devices.output(c.x, dtype);
                devices.run([&](Backend& backend, int side) {
                    backend.shortcut(kind, x[side], y[side]);
                    backend.shortcut_backward(kind, dy[side], dx[side]);
                });
                CHECK(devices.error(y) <= tolerance(dtype));
                CHECK(devices.error(dx) <= tolerance(dtype));
            }
        }
    }
}

TEST_CASE("global average pooling and its gradient on CUDA match the CPU", "[gpu]") {
    if (skipped_without_gpu()) return;
    CudaAndCpu devices;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        for (const Shape& shape : std::vector<Shape>{{128, 8, 8, 64}, {3, 5, 7, 5}, {1, 1, 1, 1}}) {
            INFO(shape.to_string() << " " << name_of(dtype));
            const Shape pooled{shape[0], shape[3]};
            const auto x = devices.random(shape, dtype), dy = devices.random(pooled, DType::kFloat32);
            const auto y = devices.output(pooled, DType::kFloat32), dx = devices.output(shape, dtype);
            devices.run([&](Backend& backend, int side) {
                backend.global_average_pool(x[side], y[side]);
                backend.global_average_pool_backward(dy[side], dx[side]);
            });
            CHECK(devices.error(y) <= tolerance(DType::kFloat32));
            CHECK(devices.error(dx) <= tolerance(dtype));
        }
    }
}

TEST_CASE("the classifier's bias and the loss on CUDA match the CPU", "[gpu]") {
    if (skipped_without_gpu()) return;
    CudaAndCpu devices;
    for (const auto& [batch, classes] : std::vector<std::pair<int, int>>{{128, 10}, {1, 2}, {37, 100}}) {
        INFO(batch << " rows of " << classes);
        const Shape shape{batch, classes};
        const auto logits = devices.random(shape, DType::kFloat32, -5, 5);
        const auto bias = devices.random({classes}, DType::kFloat32);
        const auto column_sum = devices.output({classes}, DType::kFloat32);
        std::vector<int32_t> classes_of(batch);
        for (int i = 0; i < batch; ++i) classes_of[i] = i * 7 % classes;
        const auto labels = devices.from_host(classes_of, {batch});
        const auto loss = devices.output({1}, DType::kFloat32), dlogits = devices.output(shape, DType::kFloat32);
        const auto correct = devices.from_host(std::vector<int32_t>{-1}, {1});
        const Totals totals = zero_totals(devices);
        devices.run([&](Backend& backend, int side) {
            backend.add_bias(bias[side], logits[side]);
            backend.column_sum(logits[side], column_sum[side]);
            for (int step = 0; step < 2; ++step) {
                backend.softmax_cross_entropy(logits[side], labels[side], loss[side], dlogits[side], correct[side],
                                              totals[side]);
            }
        });
        CHECK(devices.error(logits) <= tolerance(DType::kFloat32));
        CHECK(devices.error(column_sum) <= tolerance(DType::kFloat32));
        CHECK(devices.error(loss) <= tolerance(DType::kFloat32));
        CHECK(devices.error(dlogits) <= tolerance(DType::kFloat32));
        CHECK(devices.same<int32_t>(correct));
        const auto [cpu, gpu] = read(devices, totals);
        CHECK(gpu.samples == 2 * batch);
        CHECK(gpu.correct == cpu.correct);
        CHECK(close_to(gpu.cross_entropy, cpu.cross_entropy));
    }
}

TEST_CASE("the weight update on CUDA matches the CPU", "[gpu]") {
    if (skipped_without_gpu()) return;
    CudaAndCpu devices;
    for (const int64_t n : {1, 1000, 270001}) {
        INFO(n);
        const auto gradient = devices.random({n}, DType::kFloat32), velocity = devices.random({n}, DType::kFloat32);
        const auto weight = devices.random({n}, DType::kFloat32), copy = devices.output({n}, DType::kBFloat16);
        const auto boundaries = devices.from_host(std::vector<int64_t>{1}, {1});
        const auto rates = devices.from_host(std::vector<float>{0.1f, 0.05f}, {2});
        const auto step = devices.from_host(std::vector<int64_t>{0}, {1});
        const Totals totals = zero_totals(devices);
        devices.run([&](Backend& backend, int side) {
            const SgdParams p{boundaries[side], rates[side], step[side], n * 2 / 3, 0.9f, 2e-4f};
            backend.sgd_momentum(p, gradient[side], velocity[side], weight[side], Tensor(), 8, Tensor());
            backend.sgd_momentum(p, gradient[side], velocity[side], weight[side], copy[side], 8, totals[side]);
        });
        CHECK(values_of<int64_t>(devices.gpu(), step[1])[0] == 2);
        const auto [cpu, gpu] = read(devices, totals);
        CHECK(close_to(gpu.weight_penalty, cpu.weight_penalty));
        CHECK(devices.error(velocity) <= tolerance(DType::kFloat32));
        CHECK(devices.error(weight) <= tolerance(DType::kFloat32));
        CHECK(devices.error(copy) <= tolerance(DType::kBFloat16));
    }
}

TEST_CASE("augmented batches on CUDA equal those of the CPU", "[gpu]") {
    if (skipped_without_gpu()) return;
    CudaAndCpu devices;
    const int64_t samples = 50, kRecordBytes = 3073;
    std::vector<uint8_t> bytes(samples * kRecordBytes);
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 2654435761u >> 24);
    for (int64_t i = 0; i < samples; ++i) bytes[i * kRecordBytes] = static_cast<uint8_t>(i % 10);
    const auto records = devices.from_host(bytes, {samples, kRecordBytes});
    const auto mean = devices.random({32, 32, 3}, DType::kFloat32, 100, 150);
    const auto step = devices.from_host(std::vector<int64_t>{7}, {1});
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        for (const bool shuffle : {false, true}) {
            const kernels::AugmentShape shape{.batch = 16,
                                              .samples = samples,
                                              .height = 32,
                                              .width = 32,
                                              .channels = 3,
                                              .pad = shuffle ? 4 : 0,
                                              .flip = shuffle,
                                              .shuffle = shuffle,
                                              .seed = 3};
            const auto images = devices.output({16, 32, 32, 3}, dtype);
            const auto labels = devices.from_host(std::vector<int32_t>(16, -1), {16});
            devices.run([&](Backend& backend, int side) {
                backend.gather_augment(shape, records[side], mean[side], step[side], images[side], labels[side]);
            });
            INFO(name_of(dtype) << " shuffle " << shuffle);
            CHECK(devices.error(images) == 0);
            CHECK(devices.same<int32_t>(labels));
        }
    }
}
