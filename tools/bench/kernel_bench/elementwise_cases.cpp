// Operations on single elements and pixels.
#include "kernels/pad.h"
#include "tools/bench/kernel_bench/cases.h"
#include "tools/bench/kernel_bench/own_kernels.h"
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

// The padding of a narrowing convolution: one row and one column of zeros after the image.
Trial pad_or_crop(Operands& o, const Layer& layer, bool crops) {
    const Shape inner = layer.image(), padded{layer.height + 1, layer.width + 1, layer.channels};
    const Operand from = o.activation(crops ? padded : inner);
    const Tensor to = o.activation_result(crops ? inner : padded);
    const kernels::PadShape shape{o.batch(), layer.height, layer.width, layer.channels, 0, 1, 0, 1};
    const auto expected = [=, images = o.images()] {
        Values values(static_cast<size_t>(images * (crops ? inner : padded).elements()));
        const int row_elements = layer.width * layer.channels;
        for (int64_t i = 0; i < images * inner.elements(); ++i) {
            const int64_t row = i / row_elements, image = row / layer.height;
            const int64_t at_padded = (row + image) * (row_elements + layer.channels) + i % row_elements;
            values[crops ? i : at_padded] = (*from.values)[crops ? at_padded : i];
        }
        return values;
    };
    const auto run = [&backend = o.backend(), crops, shape, from, to] {
        with_exec(backend, [&](const auto& exec) {
            with_activation_type(to.dtype(), [&]<class T>(T) {
                if (crops) {
                    kernels::spatial_crop(exec, shape, from.tensor.template data<T>(), to.template data<T>());
                } else {
                    kernels::spatial_pad(exec, shape, from.tensor.template data<T>(), to.template data<T>());
                }
            });
        });
    };
    return {run, {{crops ? "x" : "y", to, expected}}, crops ? 2 * bytes_of({to}) : bytes_of({from.tensor, to})};
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

Trial pad(Operands& o, const Layer& layer) {
    return pad_or_crop(o, layer, false);
}

Trial crop(Operands& o, const Layer& layer) {
    return pad_or_crop(o, layer, true);
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
