// The layers at the end of a network one by one: global average pool, linear layer and loss.
#include <algorithm>
#include <cmath>

#include "tools/bench/kernel_bench/cases.h"
#include "tools/reference/operations.h"

namespace residual::bench {

namespace {

size_t pixels(const Layer& layer) {
    return static_cast<size_t>(layer.height) * layer.width;
}

// y [rows, columns] = op(a) * op(b); see Backend::matmul(). `rows` counts the distinct images if it is a batch.
Trial product(Operands& o, const Layer& layer, const Operand& a, bool transpose_a, const Operand& b, bool transpose_b,
              const Output& y, size_t rows) {
    const auto columns = static_cast<size_t>(y.tensor.shape()[1]);
    const auto expected = [=] {
        return reference::matmul(*a.values, transpose_a, *b.values, transpose_b, rows, columns);
    };
    return {
        [=, &backend = o.backend(), y = y.tensor] { backend.matmul(a.tensor, transpose_a, b.tensor, transpose_b, y); },
        {{y.name, y.tensor, expected, y.factor}},
        bytes_of({a.tensor, b.tensor, y.tensor}),
        2.0 * o.batch() * layer.channels * layer.out_channels};
}

}  // namespace

Trial global_pool(Operands& o, const Layer& layer) {
    const Operand x = o.activation(layer.image());
    const Tensor y = o.result({o.batch(), layer.channels});
    return {[&backend = o.backend(), x, y] { backend.global_average_pool(x.tensor, y); },
            {{"y", y, [x, layer] { return reference::global_pool(*x.values, pixels(layer), layer.channels); }}},
            bytes_of({x.tensor, y})};
}

Trial global_pool_dx(Operands& o, const Layer& layer) {
    const Operand dy = o.batched({layer.channels});
    const Tensor dx = o.activation_result(layer.image());
    return {[&backend = o.backend(), dy, dx] { backend.global_average_pool_backward(dy.tensor, dx); },
            {{"dx", dx, [dy, layer] { return reference::global_pool_dx(*dy.values, pixels(layer), layer.channels); }}},
            bytes_of({dy.tensor, dx})};
}

Trial matmul(Operands& o, const Layer& layer) {
    const Operand x = o.batched({layer.channels});
    const Operand weight = o.parameter({layer.out_channels, layer.channels}, -0.25, 0.25);
    return product(o, layer, x, false, weight, true, {"y", o.result({o.batch(), layer.out_channels}), {}}, o.images());
}

Trial matmul_dx(Operands& o, const Layer& layer) {
    const Operand dy = o.batched({layer.out_channels});
    const Operand weight = o.parameter({layer.out_channels, layer.channels}, -0.25, 0.25);
    return product(o, layer, dy, false, weight, false, {"dx", o.result({o.batch(), layer.channels}), {}}, o.images());
}

Trial matmul_dw(Operands& o, const Layer& layer) {
    const Operand x = o.batched({layer.channels}), dy = o.batched({layer.out_channels});
    const Tensor dw = o.result({layer.out_channels, layer.channels});
    return product(o, layer, dy, true, x, false, {"dw", dw, {}, o.repeats()}, layer.out_channels);
}

Trial add_bias(Operands& o, const Layer& layer) {
    const Operand y = o.batched({layer.out_channels});
    const Operand bias = o.parameter({layer.out_channels}, -1, 1);
    return {[&backend = o.backend(), y, bias] { backend.add_bias(bias.tensor, y.tensor); },
            {{"y", y.tensor, [y, bias] { return reference::add_bias(*y.values, *bias.values); }}},
            bytes_of({bias.tensor, y.tensor, y.tensor})};
}

Trial column_sum(Operands& o, const Layer& layer) {
    const Operand x = o.batched({layer.out_channels});
    const Tensor sum = o.result({layer.out_channels});
    return {[&backend = o.backend(), x, sum] { backend.column_sum(x.tensor, sum); },
            {{"sum", sum, [x, layer] { return reference::column_sums(*x.values, layer.out_channels); }, o.repeats()}},
            bytes_of({x.tensor, sum})};
}

// `totals` is a kernels::Metrics read as numbers of eight bytes; the first is the loss times the batch.
Trial softmax_loss(Operands& o, const Layer& layer) {
    const Operand logits = o.batched({layer.out_channels});
    std::vector<int32_t> labels(static_cast<size_t>(o.batch()));
    const int classes = layer.out_channels;
    for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int32_t>(i % o.images() * 3 % classes);
    const Tensor labels_tensor = o.backend().from_host(labels.data(), {o.batch()});
    const Tensor loss = o.result({1}), correct = o.result({1}, DType::kInt32);
    const Tensor dlogits = o.result_like(logits.tensor);
    const Tensor totals = o.backend().zeros({sizeof(kernels::Metrics) / sizeof(double)}, DType::kFloat64);

    struct Reference {
        Values loss{0.0}, correct{0.0}, dlogits;
    };
    const auto reference = once([logits, labels, classes, images = o.images()] {
        Reference r;
        r.dlogits.resize(logits.values->size());
        for (int row = 0; row < images; ++row) {
            const double* z = &(*logits.values)[row * classes];
            double sum = 0;
            for (int k = 0; k < classes; ++k) sum += std::exp(z[k]);
            const int label = labels[row];
            r.loss[0] += (std::log(sum) - z[label]) / images;
            r.correct[0] += std::max_element(z, z + classes) - z == label ? 1 : 0;
            for (int k = 0; k < classes; ++k) {
                r.dlogits[row * classes + k] = (std::exp(z[k]) / sum - (k == label ? 1 : 0)) / images;
            }
        }
        return r;
    });
    return {[&backend = o.backend(), logits, labels_tensor, loss, dlogits, correct, totals] {
                backend.softmax_cross_entropy(logits.tensor, labels_tensor, loss, dlogits, correct, totals);
            },
            {{"loss", loss, [reference] { return reference().loss; }},
             {"dlogits", dlogits, [reference] { return reference().dlogits; }, 1 / o.repeats()},
             {"total", totals.view(0, {1}), [reference] { return reference().loss; }, static_cast<double>(o.batch())},
             {"correct", correct, [reference] { return reference().correct; }, o.repeats()}},
            bytes_of({logits.tensor, labels_tensor, dlogits})};
}

}  // namespace residual::bench
