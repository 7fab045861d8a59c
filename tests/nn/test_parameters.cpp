// The flat arrays of parameters and their initial values.
#include "engine/nn/parameters.h"

#include <algorithm>

#include "tests/support/array.h"
#include "tests/support/devices.h"

using namespace residual;
using namespace test;
using nn::Init;
using nn::Parameters;
using nn::Role;

namespace {

// Roles interleaved as in a network, and sizes that are no multiple of the alignment.
void declare(Parameters& parameters) {
    parameters.add("norm.weight", {5}, Role::kVector, Init::kOnes);
    parameters.add("conv.weight", {5, 3, 3, 3}, Role::kConvWeight, Init::kXavierUniform);
    parameters.add("norm.bias", {5}, Role::kVector, Init::kZeros);
    parameters.add("head.weight", {7, 5}, Role::kLinearWeight, Init::kXavierUniform);
    parameters.add("head.bias", {7}, Role::kVector, Init::kZeros);
    parameters.add("conv2.weight", {5, 3, 3, 3}, Role::kConvWeight, Init::kXavierUniform);
    parameters.add_buffer("norm.running_mean", {5}, Init::kZeros);
    parameters.add_buffer("norm.running_var", {5}, Init::kOnes);
}

std::vector<Array> initial(Backend& backend, uint64_t seed) {
    Parameters parameters;
    declare(parameters);
    parameters.allocate(backend, DType::kFloat32, seed);
    std::vector<Array> values;
    for (const auto& parameter : parameters.parameters()) values.push_back(download(backend, parameter->weight));
    return values;
}

// Mean of x, largest |x|, mean of x^2.
struct Moments {
    double mean = 0, largest = 0, variance = 0;

    explicit Moments(const Array& x) {
        for (const double value : x.values) {
            mean += value / static_cast<double>(x.values.size());
            largest = std::max(largest, std::abs(value));
            variance += value * value / static_cast<double>(x.values.size());
        }
    }
};

}  // namespace

DEVICE_TEST_CASE("parameters are disjoint views of flat arrays, those with weight decay first", "[nn]") {
    Parameters parameters;
    declare(parameters);
    parameters.allocate(backend, DType::kFloat32, 0);
    const int64_t total = parameters.weights().elements();
    CHECK(parameters.gradients().elements() == total);
    CHECK(parameters.momenta().elements() == total);
    CHECK_FALSE(parameters.copies().defined());

    std::vector<bool> used(static_cast<size_t>(total));
    int64_t decayed = 0;
    for (const auto& parameter : parameters.parameters()) {
        INFO(parameter->name);
        const auto offset = [](const Tensor& part, const Tensor& all) {
            return static_cast<const float*>(part.data()) - static_cast<const float*>(all.data());
        };
        const int64_t first = offset(parameter->weight, parameters.weights());
        const int64_t count = parameter->shape.elements();
        REQUIRE(first >= 0);
        REQUIRE(first + count <= total);
        CHECK(offset(parameter->momentum, parameters.momenta()) == first);
        parameter->variable.add_grad(backend, backend.zeros(parameter->shape, DType::kFloat32));
        CHECK(offset(parameter->variable.grad(), parameters.gradients()) == first);
        CHECK(parameter->variable.value().data() == parameter->weight.data());
        CHECK(parameter->variable.requires_grad());

        const bool decays = parameter->role != Role::kVector;
        if (decays) decayed += count;
        CHECK((decays ? first + count <= parameters.decayed_elements() : first >= parameters.decayed_elements()));
        CHECK(std::none_of(used.begin() + first, used.begin() + first + count, [](bool b) { return b; }));
        std::fill_n(used.begin() + first, count, true);
    }
    CHECK(parameters.decayed_elements() >= decayed);
    // The gaps between parameters are zero, so they do not change the sum of squares.
    const Array all = download(backend, parameters.weights());
    for (int64_t i = 0; i < total; ++i) {
        if (!used[i]) CHECK(all.values[i] == 0);
    }
    CHECK(download(backend, parameters.momenta()).values == std::vector<double>(total, 0));
    CHECK(download(backend, parameters.gradients()).values == std::vector<double>(total, 0));
}

DEVICE_TEST_CASE("Xavier-uniform weights have the right bounds and variance", "[nn]") {
    Parameters parameters;
    const auto conv = parameters.add("conv", {64, 3, 3, 32}, Role::kConvWeight, Init::kXavierUniform);
    const auto linear = parameters.add("linear", {100, 60}, Role::kLinearWeight, Init::kXavierUniform);
    parameters.allocate(backend, DType::kFloat32, 3);
    const auto check = [&](const Tensor& weight, double fan_in, double fan_out) {
        const double limit = std::sqrt(6 / (fan_in + fan_out));
        const Moments moments(download(backend, weight));
        CHECK(moments.largest <= limit);
        CHECK(moments.largest > 0.99 * limit);
        CHECK(std::abs(moments.mean) < 0.03 * limit);
        CHECK(moments.variance == Approx(limit * limit / 3).epsilon(0.05));
    };
    check(conv->weight, 9 * 32, 9 * 64);
    check(linear->weight, 60, 100);
}

DEVICE_TEST_CASE("the weights depend only on the seed", "[nn]") {
    const auto a = initial(backend, 7), again = initial(backend, 7), b = initial(backend, 8);
    REQUIRE(a.size() == 6);
    for (size_t i = 0; i < a.size(); ++i) CHECK(a[i].values == again[i].values);
    CHECK(relative_error(a[1], b[1]) > 1);
    CHECK(relative_error(a[3], b[3]) > 1);
    // Two parameters of the same shape differ.
    CHECK(relative_error(a[1], a[5]) > 1);
    CHECK(a[0].values == std::vector<double>(5, 1));
    CHECK(a[2].values == std::vector<double>(5, 0));
}

TEST_CASE("a seed gives the same weights on every device", "[nn][gpu]") {
    if (skipped_without_gpu()) return;
    const auto cpu = make_cpu_backend(), cuda = make_cuda_backend({});
    const auto a = initial(*cpu, 7), b = initial(*cuda, 7);
    for (size_t i = 0; i < a.size(); ++i) CHECK(a[i].values == b[i].values);
}

DEVICE_TEST_CASE("buffers have their declared initial values", "[nn]") {
    Parameters parameters;
    declare(parameters);
    parameters.allocate(backend, DType::kBFloat16, 0);
    REQUIRE(parameters.buffers().size() == 2);
    CHECK(parameters.buffers()[0]->value.dtype() == DType::kFloat32);
    CHECK(download(backend, parameters.buffers()[0]->value).values == std::vector<double>(5, 0));
    CHECK(download(backend, parameters.buffers()[1]->value).values == std::vector<double>(5, 1));
}

DEVICE_TEST_CASE("in bfloat16 convolutions use rounded copies, which refresh_copies() updates", "[nn]") {
    Parameters parameters;
    declare(parameters);
    parameters.allocate(backend, DType::kBFloat16, 0);
    CHECK(parameters.activations() == DType::kBFloat16);
    const auto check_copies = [&] {
        for (const auto& parameter : parameters.parameters()) {
            INFO(parameter->name);
            const bool copied = parameter->role == Role::kConvWeight;
            const Tensor& used = parameter->variable.value();
            CHECK(used.dtype() == (copied ? DType::kBFloat16 : DType::kFloat32));
            CHECK((used.data() == parameter->weight.data()) == !copied);
            const Array master = download(backend, parameter->weight);
            CHECK(download(backend, used).values == rounded(master, used.dtype()).values);
        }
    };
    check_copies();
    Random random("new weights");
    for (const auto& parameter : parameters.parameters()) {
        backend.copy(upload(backend, random.uniform(parameter->shape), DType::kFloat32), parameter->weight);
    }
    parameters.refresh_copies(backend);
    check_copies();
}

DEVICE_TEST_CASE("clear_gradients discards every gradient", "[nn]") {
    Parameters parameters;
    declare(parameters);
    parameters.allocate(backend, DType::kFloat32, 0);
    for (const auto& parameter : parameters.parameters()) {
        parameter->variable.add_grad(backend, parameter->weight);
        CHECK(parameter->variable.has_grad());
    }
    parameters.clear_gradients();
    for (const auto& parameter : parameters.parameters()) {
        CHECK_FALSE(parameter->variable.has_grad());
        parameter->variable.add_grad(backend, parameter->weight);
        CHECK(download(backend, parameter->variable.grad()).values == download(backend, parameter->weight).values);
    }
}

TEST_CASE("a duplicate name fails an assertion", "[nn]") {
    Parameters parameters;
    parameters.add("a", {1}, Role::kVector, Init::kZeros);
    parameters.add_buffer("b", {1}, Init::kZeros);
    CHECK_THROWS_AS(parameters.add("a", {2}, Role::kVector, Init::kZeros), AssertionError);
    CHECK_THROWS_AS(parameters.add("b", {1}, Role::kVector, Init::kZeros), AssertionError);
    CHECK_THROWS_AS(parameters.add_buffer("a", {1}, Init::kZeros), AssertionError);
}
