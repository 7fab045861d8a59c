#include "engine/autograd/tape.h"

#include <algorithm>

namespace residual {

void Tape::record(std::vector<Variable> outputs, std::function<void()> backward) {
    records_.push_back({std::move(outputs), std::move(backward)});
}

void Tape::backward(Backend& backend, const Variable& loss) {
    RESIDUAL_ASSERT(loss.shape().elements() == 1 && loss.value().dtype() == DType::kFloat32);
    loss.add_grad(backend, backend.one().view(0, loss.shape()));
    while (!records_.empty()) {
        const Record record = std::move(records_.back());
        records_.pop_back();
        const auto reached = [](const Variable& output) { return output.has_grad(); };
        if (std::none_of(record.outputs.begin(), record.outputs.end(), reached)) continue;
        record.backward();
        for (const Variable& output : record.outputs) output.clear_grad();
    }
}

}  // namespace residual
