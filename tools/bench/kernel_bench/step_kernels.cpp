#include "tools/bench/kernel_bench/step_kernels.h"

namespace residual::bench {

namespace {

constexpr int64_t kActivation = 2;  // Bytes of a bfloat16.

class StepCount {
  public:
    StepCount(const Trace& trace, int64_t batch) : trace_(trace), batch_(batch) {}

    std::vector<StepKernel> kernels() {
        for (const Trace::Operation& operation : trace_.operations()) {
            if (operation.name == "conv" && operation.input("gamma") == nullptr && forward_.empty()) {
                count_stem(operation);
            } else if (operation.name == "conv") {
                check_fused(operation);
                count_convolution(operation);
            } else if (operation.name == "linear") {
                count_classifier(operation);
            }
        }
        std::vector<StepKernel> all = std::move(forward_);
        all.insert(all.end(), backward_.rbegin(), backward_.rend());
        all.push_back({"update", 0, kUpdateBytes * parameters()});
        return all;
    }

  private:
    static constexpr int64_t kMostClasses = 32;  // See classifier_supported() in kernels/classifier.h.
    // Read: weight, gradient, momentum; written: weight, momentum and the bfloat16 copy.
    static constexpr int64_t kUpdateBytes = 5 * 4 + kActivation;

    const Shape& shape(const Trace::Operand* operand) const { return trace_.value(*operand).shape; }
    // The first axis in the trace is the batch of the trace.
    int64_t elements(const Shape& shape) const { return shape.elements() / shape[0] * batch_; }
    int64_t bytes(const Trace::Operand* operand) const { return kActivation * elements(shape(operand)); }

    const Trace::Operation* maker(const Trace::Operand* operand) const {
        for (const Trace::Operation& operation : trace_.operations()) {
            for (const Trace::Operand& output : operation.outputs) {
                if (output.value == operand->value) return &operation;
            }
        }
        return nullptr;
    }

    int64_t readers(const Trace::Operand* operand) const {
        int64_t count = 0;
        for (const Trace::Operation& operation : trace_.operations()) {
            for (const Trace::Operand& input : operation.inputs) count += input.value == operand->value ? 1 : 0;
        }
        return count;
    }

    int64_t products(const Trace::Operation& conv) const {
        const Shape& weight = shape(conv.input("weight"));
        return elements(shape(conv.output("y"))) * weight.elements() / weight[0];
    }

    int64_t parameters() const {
        int64_t count = 0;
        for (const Trace::Value& value : trace_.values()) {
            if (!value.name.empty() && value.name.find(".running_") == std::string::npos) {
                count += value.shape.elements();
            }
        }
        return count;
    }

    // "stages.0.0.conv1.weight" -> "stages.0.0.conv1"
    std::string name_of(const Trace::Operation& operation) const {
        const std::string& weight = trace_.value(*operation.input("weight")).name;
        return weight.substr(0, weight.rfind('.'));
    }

    void check_fused(const Trace::Operation& conv) const {
        const Shape& weight = shape(conv.input("weight"));
        const int64_t out = weight[0], in = weight[3];
        const bool channels = (in == 16 || in == 32 || in == 64) && (out == in || (out == 2 * in && out <= 64));
        if (conv.input("gamma") != nullptr && conv.attribute<int64_t>("kernel") == 3 && channels) return;
        throw InputError(name_of(conv) + ", a convolution from " + std::to_string(in) + " to " + std::to_string(out) +
                         " channels, has no fused kernel here");
    }

    void count_stem(const Trace::Operation& conv) {
        const int64_t image = bytes(conv.input("x")), y = bytes(conv.output("y"));
        forward_.push_back({"gather and augment", 0, image / kActivation + image});
        forward_.push_back({name_of(conv) + " forward", products(conv), image + y});
        backward_.push_back({name_of(conv) + " backward", products(conv), 2 * y + image});
    }

    void count_convolution(const Trace::Operation& conv) {
        const std::string name = name_of(conv);
        const int64_t x = bytes(conv.input("x")), y = bytes(conv.output("y"));
        const Trace::Operand* residual = conv.input("residual");
        // The average pool of a narrowing shortcut is part of the convolution that adds it, but has its own gradient.
        const Trace::Operation* shortcut = residual != nullptr ? maker(residual) : nullptr;
        if (shortcut != nullptr && shortcut->name != "shortcut") shortcut = nullptr;
        const int64_t added = shortcut != nullptr   ? bytes(shortcut->input("x"))
                              : residual != nullptr ? bytes(residual)
                                                    : 0;
        const int64_t p = conv.output("p") != nullptr ? x : 0;
        forward_.push_back({name + " forward", products(conv), x + y + added + p});

        // If a shortcut reads x too, its gradient is in dx already and this kernel adds to it.
        const bool accumulates = readers(conv.input("x")) > 1;
        const int64_t data = 2 * y + x + p + (accumulates ? 2 : 1) * x + (residual != nullptr ? y : 0);
        if (one_backward_kernel(conv)) {
            backward_.push_back({name + " backward", 2 * products(conv), data});
        } else {
            backward_.push_back({name + " backward, weight", products(conv), 2 * y + x});
            backward_.push_back({name + " backward, data", products(conv), data});
        }
        if (shortcut != nullptr) {
            // backward_ is in reverse: this runs after the backward pass of the convolution.
            backward_.insert(backward_.end() - (one_backward_kernel(conv) ? 1 : 2),
                             {name + " backward, shortcut", 0, bytes(residual) + added});
        }
    }

    // As bn_relu_conv_backward_kernels() in kernels/bn_relu_conv.h at batch 128, which a test on the emulated device
    // compares.
    bool one_backward_kernel(const Trace::Operation& conv) const {
        const Shape& weight = shape(conv.input("weight"));
        return weight[3] == 16 && weight[0] <= 32;
    }

    void count_classifier(const Trace::Operation& linear) {
        const Shape& weight = shape(linear.input("weight"));
        if (weight[0] > kMostClasses) {
            throw InputError(name_of(linear) + ", a linear layer of " + std::to_string(weight[0]) +
                             " classes, has no fused kernel");
        }
        const int64_t products = batch_ * weight.elements(), logits = 4 * batch_ * weight[0];
        const Trace::Operation* pool = maker(linear.input("x"));
        const int64_t x = bytes(pool->input("x"));
        forward_.push_back({"classifier forward", products, x});
        forward_.push_back({"softmax cross-entropy", 0, 2 * logits});
        backward_.push_back({"classifier backward", 2 * products, 2 * x});
        backward_.push_back({"chain rule of the loss", 0, 2 * logits});
    }

    const Trace& trace_;
    int64_t batch_;
    std::vector<StepKernel> forward_, backward_;  // backward_ in the order of the forward pass.
};

}  // namespace

std::vector<StepKernel> fused_step_kernels(const Trace& trace, int64_t batch) {
    return StepCount(trace, batch).kernels();
}

}  // namespace residual::bench
