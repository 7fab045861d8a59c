#include "engine/autograd/trace.h"

#include <algorithm>

namespace residual {

const Trace::Operand* Trace::find(const std::vector<Trace::Operand>& operands, std::string_view role) {
    const auto found = std::find_if(operands.begin(), operands.end(), [&](const auto& o) { return o.role == role; });
    return found == operands.end() ? nullptr : &*found;
}

size_t Trace::index_of(const Variable& variable) {
    const auto [entry, added] = indices_.try_emplace(variable.identity(), values_.size());
    if (added) values_.push_back({variable.shape(), variable.value().dtype(), ""});
    return entry->second;
}

void Trace::set_name(const Variable& variable, const std::string& name) {
    values_[index_of(variable)].name = name;
}

void Trace::add(std::string name, std::map<std::string, Attribute> attributes, const Operands& inputs,
                const Operands& outputs) {
    const auto listed = [&](const Operands& operands) {
        std::vector<Operand> list;
        for (const auto& [role, variable] : operands) {
            if (variable.defined()) list.push_back({std::string(role), index_of(variable)});
        }
        return list;
    };
    auto read = listed(inputs);
    operations_.push_back({std::move(name), std::move(attributes), std::move(read), listed(outputs)});
}

}  // namespace residual
