// Repeated passes on CUDA give the same bits and use the same addresses.
#include "tests/backend/cuda_and_cpu.h"
#include "tests/catch.h"

using namespace residual;

namespace {

const Conv2dParams kSame{32, 32, 32, 16, 32, 3, 2, 0, 1, 0, 1};
const Conv2dParams kSymmetric{32, 16, 16, 32, 32, 3, 1, 1, 1, 1, 1};

std::vector<float> pattern(int64_t n, int seed) {
    std::mt19937 random(seed);
    std::vector<float> values(n);
    for (float& value : values) value = static_cast<float>(random() >> 8) / (1 << 23) - 1;
    return values;
}

Tensor input(Backend& backend, const Shape& shape, DType dtype, int seed) {
    return to_device(backend, pattern(shape.elements(), seed), shape, dtype);
}

// Forward and backward pass of a small network. Keeps all results alive until the end, as a tape would.
std::vector<Tensor> pass(Backend& backend, DType dtype) {
    std::vector<Tensor> results;
    const auto result = [&](const Shape& shape, DType type) {
        return results.emplace_back(backend.empty(shape, type));
    };
    const Tensor x = input(backend, kSame.input_shape(), dtype, 1), w1 = input(backend, kSame.weight_shape(), dtype, 2);
    const Tensor w2 = input(backend, kSymmetric.weight_shape(), dtype, 3);
    const Shape channels{kSame.out_channels};
    const Tensor gamma = input(backend, channels, DType::kFloat32, 4);
    const Tensor beta = input(backend, channels, DType::kFloat32, 5);

    const Tensor r = result(kSame.output_shape(), dtype);
    backend.conv2d(kSame, x, w1, r);
    const BatchStats stats{result(channels, DType::kFloat32), result(channels, DType::kFloat32)};
    backend.batch_stats(r, stats);
    const BatchNormParams batch_norm{stats, gamma, beta, 1e-3f, true};
    const Tensor q = result(r.shape(), dtype);
    backend.batch_norm(batch_norm, r, Tensor(), q);
    const Tensor y = result(kSymmetric.output_shape(), dtype);
    backend.conv2d(kSymmetric, q, w2, y);

    const Tensor dq = result(q.shape(), dtype), dr = result(r.shape(), dtype), dx = result(x.shape(), dtype);
    backend.conv2d_backward_data(kSymmetric, y, w2, dq);
    backend.conv2d_backward_weight(kSymmetric, q, y, result(w2.shape(), DType::kFloat32));
    backend.batch_norm_backward(batch_norm, r, dq, dr, false,
                                {result(channels, DType::kFloat32), result(channels, DType::kFloat32)});
    backend.conv2d_backward_data(kSame, dr, w1, dx);
    backend.conv2d_backward_weight(kSame, x, dr, result(w1.shape(), DType::kFloat32));
    return results;
}

std::vector<std::vector<float>> values_of_pass(Backend& backend, DType dtype) {
    std::vector<std::vector<float>> values;
    for (const Tensor& tensor : pass(backend, dtype)) values.push_back(floats_of(backend, tensor));
    return values;
}

std::vector<void*> addresses_of_pass(Backend& backend, DType dtype) {
    std::vector<void*> addresses;
    for (const Tensor& tensor : pass(backend, dtype)) addresses.push_back(tensor.data());
    return addresses;
}

}  // namespace

TEST_CASE("repeated passes give the same bits, on the same backend and on a new one", "[gpu]") {
    if (skipped_without_gpu()) return;
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        INFO(name_of(dtype));
        const auto gpu = make_cuda_backend({});
        const auto first = values_of_pass(*gpu, dtype);
        CHECK((values_of_pass(*gpu, dtype) == first));
        CHECK((values_of_pass(*make_cuda_backend({}), dtype) == first));
    }
}

TEST_CASE("algorithms chosen by timing compute the same results to rounding", "[gpu]") {
    if (skipped_without_gpu()) return;
    const auto fixed = make_cuda_backend({}), timed = make_cuda_backend({.deterministic = false, .allow_tf32 = false});
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        const auto expected = values_of_pass(*fixed, dtype), values = values_of_pass(*timed, dtype);
        for (size_t i = 0; i < values.size(); ++i) {
            INFO(name_of(dtype) << " result " << i);
            // Loose, because errors accumulate over several operations and an input of the ReLU may change sign.
            CHECK(relative_error(values[i], expected[i]) <= (dtype == DType::kFloat32 ? 1e-3 : 5e-2));
        }
    }
}

TEST_CASE("tensors and workspaces keep their addresses after the first pass", "[gpu]") {
    if (skipped_without_gpu()) return;
    const auto gpu = make_cuda_backend({});
    addresses_of_pass(*gpu, DType::kFloat32);
    const auto second = addresses_of_pass(*gpu, DType::kFloat32);
    const size_t reserved = gpu->arena().bytes_reserved();
    CHECK(addresses_of_pass(*gpu, DType::kFloat32) == second);
    CHECK(addresses_of_pass(*gpu, DType::kFloat32) == second);
    CHECK(gpu->arena().bytes_reserved() == reserved);
}
