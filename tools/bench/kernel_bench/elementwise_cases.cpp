// Operations on single elements and pixels.
#include "tools/bench/kernel_bench/cases.h"
#include "tools/reference/operations.h"

namespace residual::bench {

namespace {

reference::Shortcut reference_of(const Layer& layer, ShortcutKind kind) {
    return {layer.width, layer.channels, layer.out_channels, kind == ShortcutKind::kAveragePool};
}

Trial shortcut(Operands& o, const Layer& layer, ShortcutKind kind) {
    const Operand x = o.activation(layer.image());
    const Tensor y = o.activation_result(layer.halved_image());
    const double share_read = kind == ShortcutKind::kAveragePool ? 1.0 : 0.25;
    return {[&backend = o.backend(), kind, x, y] { backend.shortcut(kind, x.tensor, y); },
            {{"y", y, [s = reference_of(layer, kind), x] { return s.forward(*x.values); }}},
            share_read * bytes_of({x.tensor}) + bytes_of({y})};
}

Trial shortcut_dx(Operands& o, const Layer& layer, ShortcutKind kind) {
    const Operand dy = o.activation(layer.halved_image());
    const Tensor dx = o.activation_result(layer.image());
    const double share_read = static_cast<double>(layer.channels) / layer.out_channels;
    return {[&backend = o.backend(), kind, dy, dx] { backend.shortcut_backward(kind, dy.tensor, dx); },
            {{"dx", dx, [s = reference_of(layer, kind), dy] { return s.backward(*dy.values); }}},
            share_read * bytes_of({dy.tensor}) + bytes_of({dx})};
}

}  // namespace

Trial relu(Operands& o, const Layer& layer) {
    const Operand x = o.activation(layer.image());
    const Tensor y = o.result_like(x.tensor);
    const auto expected = [x] {
        Values values = *x.values;
        for (double& value : values) value = std::max(value, 0.0);
        return values;
    };
    return {
        [&backend = o.backend(), x, y] { backend.relu(x.tensor, y); }, {{"y", y, expected}}, bytes_of({x.tensor, y})};
}

Trial relu_dx(Operands& o, const Layer& layer) {
    const Operand y = o.activation(layer.image()), dy = o.activation(layer.image());
    const Tensor dx = o.result_like(y.tensor);
    const auto expected = [y, dy] {
        Values values = *dy.values;
        for (size_t i = 0; i < values.size(); ++i) {
            if ((*y.values)[i] <= 0) values[i] = 0;
        }
        return values;
    };
    return {[&backend = o.backend(), y, dy, dx] { backend.relu_backward(y.tensor, dy.tensor, dx); },
            {{"dx", dx, expected}},
            bytes_of({y.tensor, dy.tensor, dx})};
}

Trial add(Operands& o, const Layer& layer) {
    const Operand a = o.activation(layer.image()), b = o.activation(layer.image());
    const Tensor y = o.result_like(a.tensor);
    return {[&backend = o.backend(), a, b, y] { backend.add(a.tensor, b.tensor, y); },
            {{"y", y, [a, b] { return plus(*a.values, *b.values); }}},
            bytes_of({a.tensor, b.tensor, y})};
}

// From float32 to bfloat16, as weights and data are rounded.
Trial cast(Operands& o, const Layer& layer) {
    const Operand x = o.batched(layer.image());
    const Tensor y = o.result(x.tensor.shape(), DType::kBFloat16);
    return {[&backend = o.backend(), x, y] { backend.cast(x.tensor, y); },
            {{"y", y, [x] { return *x.values; }}},
            bytes_of({x.tensor, y})};
}

Trial avgpool_pad(Operands& o, const Layer& layer) {
    return shortcut(o, layer, ShortcutKind::kAveragePool);
}

Trial avgpool_pad_dx(Operands& o, const Layer& layer) {
    return shortcut_dx(o, layer, ShortcutKind::kAveragePool);
}

Trial subsample_pad(Operands& o, const Layer& layer) {
    return shortcut(o, layer, ShortcutKind::kSubsample);
}

Trial subsample_pad_dx(Operands& o, const Layer& layer) {
    return shortcut_dx(o, layer, ShortcutKind::kSubsample);
}

}  // namespace residual::bench
