// A network's end: pool, linear layer and loss one by one; and batch norm, ReLU, pool and linear layer together, as a
// sequence of the backend's operations and fused.
#include <algorithm>
#include <cmath>

#include "tools/bench/kernel_bench/cases.h"
#include "tools/bench/kernel_bench/linear_reference.h"

namespace residual::bench {

namespace {

Shape image_of(const Layer& layer) {
    return {layer.height, layer.width, layer.channels};
}

double matmul_flops(const Operands& o, const Layer& layer) {
    return 2.0 * o.batch() * layer.channels * layer.out_channels;
}

LinearReference linear_of(const Operands& o, const Layer& layer) {
    return {static_cast<size_t>(o.images()), static_cast<size_t>(layer.channels),
            static_cast<size_t>(layer.out_channels)};
}

Operand linear_weight(Operands& o, const Layer& layer) {
    return o.parameter({layer.out_channels, layer.channels}, DType::kFloat32, -0.25, 0.25);
}

}  // namespace

Trial global_pool(Operands& o, const Layer& layer) {
    const Operand x = o.activation(image_of(layer));
    const Tensor y = o.result({o.batch(), layer.channels}, DType::kFloat32);
    return {[&backend = o.backend(), x, y] { backend.global_average_pool(x.tensor, y); },
            {{"y", y, [x, layer] { return pooled_values(*x.values, layer.height * layer.width, layer.channels); }}},
            bytes_of({x.tensor, y})};
}

Trial global_pool_dx(Operands& o, const Layer& layer) {
    const Operand dy = o.batched({layer.channels}, DType::kFloat32);
    const Tensor dx = o.result({o.batch(), layer.height, layer.width, layer.channels}, o.activations());
    return {
        [&backend = o.backend(), dy, dx] { backend.global_average_pool_backward(dy.tensor, dx); },
        {{"dx", dx, [dy, layer] { return unpooled_values(*dy.values, layer.height * layer.width, layer.channels); }}},
        bytes_of({dy.tensor, dx})};
}

Trial matmul(Operands& o, const Layer& layer) {
    const Operand x = o.batched({layer.channels}, DType::kFloat32), weight = linear_weight(o, layer);
    const Tensor y = o.result({o.batch(), layer.out_channels}, DType::kFloat32);
    return {[&backend = o.backend(), x, weight, y] { backend.matmul(x.tensor, false, weight.tensor, true, y); },
            {{"y", y, [l = linear_of(o, layer), x, weight] { return l.forward(*x.values, *weight.values); }}},
            bytes_of({x.tensor, weight.tensor, y}),
            matmul_flops(o, layer)};
}

Trial matmul_dx(Operands& o, const Layer& layer) {
    const Operand dy = o.batched({layer.out_channels}, DType::kFloat32), weight = linear_weight(o, layer);
    const Tensor dx = o.result({o.batch(), layer.channels}, DType::kFloat32);
    return {[&backend = o.backend(), dy, weight, dx] { backend.matmul(dy.tensor, false, weight.tensor, false, dx); },
            {{"dx", dx, [l = linear_of(o, layer), dy, weight] { return l.dx(*dy.values, *weight.values); }}},
            bytes_of({dy.tensor, weight.tensor, dx}),
            matmul_flops(o, layer)};
}

Trial matmul_dw(Operands& o, const Layer& layer) {
    const Operand x = o.batched({layer.channels}, DType::kFloat32),
                  dy = o.batched({layer.out_channels}, DType::kFloat32);
    const Tensor dw = o.result({layer.out_channels, layer.channels}, DType::kFloat32);
    return {[&backend = o.backend(), x, dy, dw] { backend.matmul(dy.tensor, true, x.tensor, false, dw); },
            {{"dw", dw, [l = linear_of(o, layer), x, dy] { return l.dw(*x.values, *dy.values); }, o.repeats()}},
            bytes_of({x.tensor, dy.tensor, dw}),
            matmul_flops(o, layer)};
}

Trial add_bias(Operands& o, const Layer& layer) {
    const Operand y = o.batched({layer.out_channels}, DType::kFloat32);
    const Operand bias = o.parameter({layer.out_channels}, DType::kFloat32, -1, 1);
    const auto expected = [y, bias, layer] {
        Values values = *y.values;
        for (size_t i = 0; i < values.size(); ++i) values[i] += (*bias.values)[i % layer.out_channels];
        return values;
    };
    return {[&backend = o.backend(), y, bias] { backend.add_bias(bias.tensor, y.tensor); },
            {{"y", y.tensor, expected}},
            bytes_of({bias.tensor, y.tensor, y.tensor})};
}

Trial column_sum(Operands& o, const Layer& layer) {
    const Operand x = o.batched({layer.out_channels}, DType::kFloat32);
    const Tensor sum = o.result({layer.out_channels}, DType::kFloat32);
    return {[&backend = o.backend(), x, sum] { backend.column_sum(x.tensor, sum); },
            {{"sum", sum, [x, layer] { return column_sums(*x.values, layer.out_channels); }, o.repeats()}},
            bytes_of({x.tensor, sum})};
}

// Totals are the numbers of kernels::Metrics, eight bytes each; the first is the loss times the batch.
Trial softmax_loss(Operands& o, const Layer& layer) {
    const Operand logits = o.batched({layer.out_channels}, DType::kFloat32);
    std::vector<int32_t> labels(static_cast<size_t>(o.batch()));
    const int classes = layer.out_channels;
    for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int32_t>(i % o.images() * 3 % classes);
    const Tensor labels_tensor = o.backend().from_host(labels.data(), {o.batch()});
    const Tensor loss = o.result({1}, DType::kFloat32), correct = o.result({1}, DType::kInt32);
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
