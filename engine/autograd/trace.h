// A forward pass as a list of operations, recorded while it runs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/autograd/variable.h"

namespace residual {

using Attribute = std::variant<bool, int64_t, double, std::string>;

class Trace {
  public:
    // A tensor of the pass. All copies of a Variable count as one value.
    struct Value {
        Shape shape;
        DType dtype;
        std::string name;  // Name of the parameter or buffer; empty for results and for the network's input.
    };
    struct Operand {
        std::string role;  // "x", "weight", ...
        size_t value;      // Index in values().
    };
    struct Operation {
        std::string name;
        std::map<std::string, Attribute> attributes;
        std::vector<Operand> inputs, outputs;

        // The operand with this role, or null.
        const Operand* input(std::string_view role) const { return find(inputs, role); }
        const Operand* output(std::string_view role) const { return find(outputs, role); }
        // The attribute must exist and have type T.
        template <class T>
        const T& attribute(const std::string& name) const {
            return std::get<T>(attributes.at(name));
        }
    };

    using Operands = std::vector<std::pair<std::string_view, Variable>>;

    // Names the value of `variable`. Call before the pass.
    void set_name(const Variable& variable, const std::string& name);
    // Mark the input and the output of the whole pass.
    void set_input(const Variable& variable) { input_ = index_of(variable); }
    void set_output(const Variable& variable) { output_ = index_of(variable); }

    // Called by each operation after it has run. Undefined variables are skipped.
    void add(std::string name, std::map<std::string, Attribute> attributes, const Operands& inputs,
             const Operands& outputs);

    // In execution order.
    const std::vector<Operation>& operations() const { return operations_; }
    const std::vector<Value>& values() const { return values_; }
    const Value& value(const Operand& operand) const { return values_[operand.value]; }
    // Indices in values(). Must have been marked.
    size_t input() const { return input_.value(); }
    size_t output() const { return output_.value(); }

  private:
    static const Operand* find(const std::vector<Operand>& operands, std::string_view role);
    size_t index_of(const Variable& variable);

    std::vector<Operation> operations_;
    std::vector<Value> values_;
    std::optional<size_t> input_, output_;
    // An identity outlives its variable, so a later variable at the same address is a different key.
    std::map<Variable::Identity, size_t, std::owner_less<>> indices_;
};

}  // namespace residual
