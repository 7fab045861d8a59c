// Operations on single elements and pixels.
#include "kernels/pad.h"
#include "tools/bench/kernel_bench/cases.h"
#include "tools/bench/kernel_bench/place.h"
#include "tools/bench/kernel_bench/shortcut_reference.h"

namespace residual::bench {

namespace {

Shape input_of(const Layer& layer) {
    return {layer.height, layer.width, layer.channels};
}

Shape halved(const Operands& o, const Layer& layer) {
    return {o.batch(), layer.height / 2, layer.width / 2, layer.out_channels};
}

// The convolution that narrows reads one row and one column of zeros behind the image.
kernels::PadShape pad_shape(const Operands& o, const Layer& layer) {
    return {o.batch(), layer.height, layer.width, layer.channels, 0, 1, 0, 1};
}

// Calls visit(element of x, element of the padded y) for every element of x.
template <class Visit>
void for_each_inside(const Operands& o, const Layer& layer, Visit visit) {
    const auto row_elements = static_cast<size_t>(layer.width) * layer.channels;
    const size_t rows = static_cast<size_t>(o.images()) * layer.height;
    for (size_t row = 0; row < rows; ++row) {
        const size_t padded_row = row / layer.height * (layer.height + 1) + row % layer.height;
        for (size_t i = 0; i < row_elements; ++i) {
            visit(row * row_elements + i, padded_row * (row_elements + layer.channels) + i);
        }
    }
}

size_t padded_elements(const Operands& o, const Layer& layer) {
    return static_cast<size_t>(o.images()) * (layer.height + 1) * (layer.width + 1) * layer.channels;
}

using PadReference = Values (*)(const Values&, int, int, int, int);

Trial shortcut(Operands& o, const Layer& layer, ShortcutKind kind, double share_read, PadReference reference) {
    const Operand x = o.activation(input_of(layer));
    const Tensor y = o.result(halved(o, layer), o.activations());
    return {[&backend = o.backend(), kind, x, y] { backend.shortcut(kind, x.tensor, y); },
            {{"y", y,
              [layer, x, reference] {
                  return reference(*x.values, layer.height, layer.width, layer.channels, layer.out_channels);
              }}},
            share_read * bytes_of({x.tensor}) + bytes_of({y})};
}

// The gradient of a shortcut is its transpose: each element of x goes to at most one of y, with one weight, which the
// gradient takes back.
Trial shortcut_dx(Operands& o, const Layer& layer, ShortcutKind kind) {
    const Operand dy = o.activation({layer.height / 2, layer.width / 2, layer.out_channels});
    const Tensor dx = o.result({o.batch(), layer.height, layer.width, layer.channels}, o.activations());
    const auto expected = [layer, kind, dy, images = o.images()] {
        const bool pools = kind == ShortcutKind::kAveragePool;
        const int before = (layer.out_channels - layer.channels) / 2;
        Values values(static_cast<size_t>(images) * layer.height * layer.width * layer.channels);
        for (size_t i = 0; i < values.size(); ++i) {
            const size_t c = i % layer.channels, column = i / layer.channels % layer.width;
            const size_t row = i / layer.channels / layer.width;  // Of all images: their heights are even.
            if (!pools && (row % 2 != 0 || column % 2 != 0)) continue;
            const size_t from = (row / 2 * (layer.width / 2) + column / 2) * layer.out_channels + before + c;
            values[i] = (*dy.values)[from] * (pools ? 0.25 : 1.0);
        }
        return values;
    };
    const double share_read = static_cast<double>(layer.channels) / layer.out_channels;
    return {[&backend = o.backend(), kind, dy, dx] { backend.shortcut_backward(kind, dy.tensor, dx); },
            {{"dx", dx, expected}},
            share_read * bytes_of({dy.tensor}) + bytes_of({dx})};
}

}  // namespace

Trial relu(Operands& o, const Layer& layer) {
    const Operand x = o.activation(input_of(layer));
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
    const Operand y = o.activation(input_of(layer)), dy = o.activation(input_of(layer));
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
    const Operand a = o.activation(input_of(layer)), b = o.activation(input_of(layer));
    const Tensor y = o.result_like(a.tensor);
    return {[&backend = o.backend(), a, b, y] { backend.add(a.tensor, b.tensor, y); },
            {{"y", y, [a, b] { return plus(*a.values, *b.values); }}},
            bytes_of({a.tensor, b.tensor, y})};
}

// From float32 to bfloat16, as weights and data are rounded.
Trial cast(Operands& o, const Layer& layer) {
    const Operand x = o.batched(input_of(layer), DType::kFloat32);
    const Tensor y = o.result(x.tensor.shape(), DType::kBFloat16);
    return {[&backend = o.backend(), x, y] { backend.cast(x.tensor, y); },
            {{"y", y, [x] { return *x.values; }}},
            bytes_of({x.tensor, y})};
}

Trial pad(Operands& o, const Layer& layer) {
    const Operand x = o.activation(input_of(layer));
    const auto shape = pad_shape(o, layer);
    const Tensor y = o.result({o.batch(), layer.height + 1, layer.width + 1, layer.channels}, o.activations());
    const auto expected = [o, layer, x] {
        Values values(padded_elements(o, layer));
        for_each_inside(o, layer, [&](size_t at_x, size_t at_y) { values[at_y] = (*x.values)[at_x]; });
        return values;
    };
    const auto run = [&backend = o.backend(), shape, x, y] {
        with_place(backend, [&](const auto& exec) {
            with_activation_type(y.dtype(), [&]<class T>(T) {
                kernels::spatial_pad(exec, shape, x.tensor.template data<T>(), y.template data<T>());
            });
        });
    };
    return {run, {{"y", y, expected}}, bytes_of({x.tensor, y})};
}

Trial crop(Operands& o, const Layer& layer) {
    const Operand y = o.activation({layer.height + 1, layer.width + 1, layer.channels});
    const auto shape = pad_shape(o, layer);
    const Tensor x = o.result({o.batch(), layer.height, layer.width, layer.channels}, o.activations());
    const auto expected = [o, layer, y] {
        Values values(static_cast<size_t>(o.images()) * layer.height * layer.width * layer.channels);
        for_each_inside(o, layer, [&](size_t at_x, size_t at_y) { values[at_x] = (*y.values)[at_y]; });
        return values;
    };
    const auto run = [&backend = o.backend(), shape, x, y] {
        with_place(backend, [&](const auto& exec) {
            with_activation_type(x.dtype(), [&]<class T>(T) {
                kernels::spatial_crop(exec, shape, y.tensor.template data<T>(), x.template data<T>());
            });
        });
    };
    return {run, {{"x", x, expected}}, 2 * bytes_of({x})};
}

Trial avgpool_pad(Operands& o, const Layer& layer) {
    return shortcut(o, layer, ShortcutKind::kAveragePool, 1.0, avgpool_pad_reference);
}

Trial avgpool_pad_dx(Operands& o, const Layer& layer) {
    return shortcut_dx(o, layer, ShortcutKind::kAveragePool);
}

Trial subsample_pad(Operands& o, const Layer& layer) {
    return shortcut(o, layer, ShortcutKind::kSubsample, 0.25, subsample_pad_reference);
}

Trial subsample_pad_dx(Operands& o, const Layer& layer) {
    return shortcut_dx(o, layer, ShortcutKind::kSubsample);
}

}  // namespace residual::bench
