#include "engine/nn/parameters.h"

#include <algorithm>
#include <cmath>

#include "engine/backend/out_of_memory.h"
#include "kernels/philox.h"

namespace residual::nn {

namespace {

bool decays(Role role) {
    return role != Role::kVector;
}

// fan_in + fan_out.
int64_t sum_of_fans(const Shape& shape) {
    const int64_t taps = shape.rank() == 4 ? shape[1] * shape[2] : 1;
    return taps * (shape[0] + shape[-1]);
}

std::vector<float> initial_values(const Shape& shape, Init init, uint64_t seed, uint32_t index) {
    const auto count = static_cast<size_t>(shape.elements());
    if (init != Init::kXavierUniform) return std::vector<float>(count, init == Init::kOnes ? 1.0f : 0.0f);

    std::vector<float> values(count);
    const double limit = std::sqrt(6.0 / static_cast<double>(sum_of_fans(shape)));
    const kernels::PhiloxKey key = kernels::philox_key(seed);
    for (size_t i = 0; i < count; i += 4) {
        const kernels::Philox4 counter{
            {static_cast<uint32_t>(i), index, 0, static_cast<uint32_t>(kernels::RandomPurpose::kInit)}};
        const kernels::Philox4 words = kernels::philox4x32_10(counter, key);
        for (size_t j = i; j < std::min(i + 4, count); ++j) {
            const double unit = (words.v[j - i] + 0.5) * 0x1p-32;
            values[j] = static_cast<float>(limit * (2 * unit - 1));
        }
    }
    return values;
}

}  // namespace

void Parameters::check_new(const std::string& name) const {
    const auto same = [&](const auto& other) { return other->name == name; };
    RESIDUAL_ASSERT(std::none_of(parameters_.begin(), parameters_.end(), same));
    RESIDUAL_ASSERT(std::none_of(buffers_.begin(), buffers_.end(), same));
}

std::shared_ptr<Parameter> Parameters::add(const std::string& name, const Shape& shape, Role role, Init init) {
    check_new(name);
    return parameters_.emplace_back(std::make_shared<Parameter>(Parameter{name, shape, role, init, {}, {}, {}, {}}));
}

std::shared_ptr<Buffer> Parameters::add_buffer(const std::string& name, const Shape& shape, Init init) {
    check_new(name);
    return buffers_.emplace_back(std::make_shared<Buffer>(Buffer{name, shape, init, {}, {}}));
}

void Parameters::allocate(Backend& backend, DType activations, uint64_t seed) {
    RESIDUAL_ASSERT(!weights_.defined());
    activations_ = activations;
    // Each parameter is 64-byte aligned, for vector loads. The gaps between parameters stay zero.
    constexpr int64_t kAlignment = 16;
    const auto rounded = [](int64_t n) { return (n + kAlignment - 1) / kAlignment * kAlignment; };
    int64_t total = 0;
    for (const auto& parameter : parameters_) {
        total += rounded(parameter->shape.elements());
        if (decays(parameter->role)) decayed_ += rounded(parameter->shape.elements());
    }
    try {
        weights_ = backend.zeros({total}, DType::kFloat32);
        gradients_ = backend.zeros({total}, DType::kFloat32);
        momenta_ = backend.zeros({total}, DType::kFloat32);
        if (activations != DType::kFloat32) copies_ = backend.zeros({total}, activations);
    } catch (const std::exception& error) {
        rethrow_with_purpose(error, "the weights, gradients and momenta");
    }

    int64_t next_decayed = 0, next_other = decayed_;
    uint32_t index = 0;
    for (const auto& parameter : parameters_) {
        int64_t& next = decays(parameter->role) ? next_decayed : next_other;
        parameter->weight = weights_.view(next, parameter->shape);
        parameter->momentum = momenta_.view(next, parameter->shape);
        const bool copied = copies_.defined() && parameter->role == Role::kConvWeight;
        parameter->gradient = gradients_.view(next, parameter->shape);
        parameter->variable =
            Variable(copied ? copies_.view(next, parameter->shape) : parameter->weight, parameter->gradient);
        const auto values = initial_values(parameter->shape, parameter->init, seed, index++);
        backend.upload(values.data(), parameter->weight);
        next += rounded(parameter->shape.elements());
    }
    for (const auto& buffer : buffers_) {
        const auto values = initial_values(buffer->shape, buffer->init, seed, 0);
        buffer->value = backend.from_host(values.data(), buffer->shape);
        buffer->variable = Variable(buffer->value, false);
    }
    refresh_copies(backend);
}

void Parameters::refresh_copies(Backend& backend) {
    if (copies_.defined()) backend.cast(weights_, copies_);
}

void Parameters::clear_gradients() {
    for (const auto& parameter : parameters_) parameter->variable.clear_grad();
}

void Parameters::zero_unused_gradients(Backend& backend) {
    for (const auto& parameter : parameters_) {
        if (!parameter->variable.has_grad()) backend.fill_zero(parameter->gradient);
    }
}

}  // namespace residual::nn
