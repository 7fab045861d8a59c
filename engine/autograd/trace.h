// A forward pass as a list of operations, recorded from the calls that compute it.
#pragma once

#include <map>
#include <memory>
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
    // One value of the pass. Copies of one Variable are one value.
    struct Value {
        Shape shape;
        DType dtype;
        std::string name;  // Of a parameter or a buffer; "": a result, or an input of the network.
    };
    struct Operand {
        std::string role;  // What it is to the operation: "x", "weight".
        size_t value;      // Its index in values().
    };
    struct Operation {
        std::string name;
        std::map<std::string, Attribute> attributes;
        std::vector<Operand> inputs, outputs;

        // The operand of this role; null where there is none.
        const Operand* input(std::string_view role) const;
        const Operand* output(std::string_view role) const;
        // The attribute of this name, which must be there and of this type.
        template <class T>
        const T& attribute(const std::string& name) const {
            return std::get<T>(attributes.at(name));
        }
    };

    using Operands = std::vector<std::pair<std::string_view, Variable>>;

    // To be called before the pass: what the operations that read `variable` show as its name.
    void set_name(const Variable& variable, const std::string& name);

    // To be called by an operation when it has run. Undefined variables are left out.
    void add(std::string name, std::map<std::string, Attribute> attributes, const Operands& inputs,
             const Operands& outputs);

    // In the order in which they ran.
    const std::vector<Operation>& operations() const { return operations_; }
    const std::vector<Value>& values() const { return values_; }
    const Value& value(const Operand& operand) const { return values_[operand.value]; }

  private:
    size_t index_of(const Variable& variable);

    std::vector<Operation> operations_;
    std::vector<Value> values_;
    // A variable's identity outlives it, so that no later one is taken for it.
    std::map<Variable::Identity, size_t, std::owner_less<>> indices_;
};

}  // namespace residual
