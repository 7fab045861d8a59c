// Runs part of a network with composed operations and with the reference implementation of the fused ones, and
// compares.
#pragma once

#include <functional>
#include <string>

#include "engine/ops/conv.h"
#include "tests/support/devices.h"
#include "tests/support/record.h"
#include "tests/support/reference_fused.h"

namespace test {

// Part of a network. Values are random, with the name as seed, so they are equal on every backend.
class Piece {
  public:
    Piece(Backend& backend, DType dtype) : dtype_(dtype), context_{backend, &tape_, true} {}

    Context& context() { return context_; }
    Backend& backend() { return context_.backend; }

    Variable activation(const std::string& name, const Shape& shape) { return leaf(name, shape, dtype_, -1, 2); }
    Variable parameter(const std::string& name, const Shape& shape, double low, double high) {
        return leaf(name, shape, DType::kFloat32, low, high);
    }
    // The weight [out, 3, 3, in] of a convolution, with a fixed gradient tensor like that of a parameter.
    Variable weight(const std::string& name, int64_t out, int64_t in) {
        const Shape shape{out, 3, 3, in};
        const Array values = rounded(Random(name).uniform(shape, -0.5, 0.5), dtype_);
        return keep(name, Variable(upload(backend(), values, dtype_), backend().zeros(shape, DType::kFloat32)));
    }
    // Batch norm and ReLU, with these statistics of the batch.
    residual::ops::BatchNorm batch_norm(const std::string& name, const residual::ops::Moments& stats) {
        const int64_t channels = stats.mean.value().elements();
        residual::ops::BatchNorm batch_norm{parameter(name + ".gamma", {channels}, 0.5, 1.5),
                                            parameter(name + ".beta", {channels}, -0.5, 0.5),
                                            stats,
                                            1e-3f,
                                            true,
                                            {filled(name + ".mean", channels), filled(name + ".variance", channels)},
                                            0.75f};
        results_.emplace_back(name + ".running_mean", batch_norm.running.mean.value());
        results_.emplace_back(name + ".running_variance", batch_norm.running.variance.value());
        return batch_norm;
    }
    // conv(relu(batch_norm(x))), with parameters named after `name`.
    residual::ops::ConvResult bn_relu_conv(const std::string& name, const Variable& x,
                                           const residual::ops::Moments& stats, int64_t out,
                                           residual::ops::ConvOptions options = {}) {
        const auto prologue = batch_norm(name, stats);
        options.batch_norm = &prologue;
        options.want_stats = true;
        return residual::ops::conv(context_, x, weight(name + ".weight", out, x.shape()[3]), options);
    }

    // Runs backward from random gradients of `outputs`.
    void backward(const std::vector<Variable>& outputs) {
        std::vector<std::pair<Variable, Tensor>> gradients;
        for (size_t i = 0; i < outputs.size(); ++i) {
            const std::string name = "output " + std::to_string(i);
            const Tensor& value = outputs[i].value();
            results_.emplace_back(name, value);
            gradients.emplace_back(outputs[i], upload(backend(), random(name, value), value.dtype()));
        }
        backward_from(context_, std::move(gradients));
    }

    // Outputs, running statistics and gradients (zeros for a leaf without a gradient), by name.
    std::vector<std::pair<std::string, Array>> results() {
        std::vector<std::pair<std::string, Array>> all;
        for (const auto& [name, tensor] : results_) all.emplace_back(name, download(backend(), tensor));
        for (const auto& [name, leaf] : leaves_) {
            all.emplace_back("gradient of " + name, leaf.has_grad() ? grad_of(backend(), leaf) : Array(leaf.shape()));
        }
        return all;
    }

  private:
    static Array random(const std::string& name, const Tensor& like) {
        return rounded(Random(name).uniform(like.shape()), like.dtype());
    }
    Variable filled(const std::string& name, int64_t channels) {
        const Array values = rounded(Random(name).uniform({channels}, 0.5, 1), DType::kFloat32);
        return Variable(upload(backend(), values, DType::kFloat32), false);
    }
    Variable leaf(const std::string& name, const Shape& shape, DType dtype, double low, double high) {
        return keep(name,
                    Variable(upload(backend(), rounded(Random(name).uniform(shape, low, high), dtype), dtype), true));
    }
    Variable keep(const std::string& name, const Variable& variable) {
        leaves_.emplace_back(name, variable);
        return variable;
    }

    DType dtype_;
    Tape tape_;
    Context context_;
    std::vector<std::pair<std::string, Variable>> leaves_;
    std::vector<std::pair<std::string, Tensor>> results_;
};

// Checks that `build`, which must call Piece::backward(), gives the same results fused and composed, in float32.
inline void check_fused_equals_composed(const std::function<void(Piece&)>& build, FusedSelection selection = {}) {
    const auto run = [&](std::unique_ptr<Backend> backend) {
        const auto device = poisoned(std::move(backend));
        Piece piece(*device, DType::kFloat32);
        build(piece);
        return piece.results();
    };
    const auto composed = run(residual::make_cpu_backend());
    const auto fused = run(make_reference_fused_backend(std::move(selection)));
    REQUIRE(composed.size() == fused.size());
    for (size_t i = 0; i < fused.size(); ++i) {
        INFO(fused[i].first);
        REQUIRE(fused[i].first == composed[i].first);
        CHECK(relative_error(fused[i].second, composed[i].second) <= tolerance(DType::kFloat32));
    }
}

}  // namespace test
