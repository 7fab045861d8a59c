#include "tools/export/onnx_model.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <bit>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/core/error.h"
#include "engine/io/channels.h"

namespace residual::tools {

namespace {

using Operation = Trace::Operation;

constexpr int kOpset = 17, kIrVersion = 8;
constexpr const char* kInput = "images";
constexpr const char* kOutput = "logits";
constexpr const char* kBatch = "batch";

static_assert(std::endian::native == std::endian::little, "ONNX stores raw data in little-endian order");

template <class T>
void set_data(onnx::TensorProto& tensor, onnx::TensorProto::DataType type, const std::vector<int64_t>& shape,
              const std::vector<T>& values) {
    tensor.set_data_type(type);
    for (const int64_t extent : shape) tensor.add_dims(extent);
    tensor.set_raw_data(values.data(), values.size() * sizeof(T));
}

void set_attribute(onnx::NodeProto& node, const char* name, const std::vector<int64_t>& values) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INTS);
    for (const int64_t value : values) attribute.add_ints(value);
}

void set_attribute(onnx::NodeProto& node, const char* name, int64_t value) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(value);
}

void set_attribute(onnx::NodeProto& node, const char* name, float value) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::FLOAT);
    attribute.set_f(value);
}

void set_type(onnx::ValueInfoProto& value, const char* name, onnx::TensorProto::DataType type, const Shape& shape) {
    value.set_name(name);
    auto& tensor = *value.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(type);
    tensor.mutable_shape()->add_dim()->set_dim_param(kBatch);
    for (int axis = 1; axis < shape.rank(); ++axis) tensor.mutable_shape()->add_dim()->set_dim_value(shape[axis]);
}

class Builder {
  public:
    Builder(const Graph& graph, const Weights& weights, onnx::GraphProto& onnx)
        : graph_(graph), weights_(weights), onnx_(onnx), units_(units_of(graph)) {
        set_type(*onnx_.add_input(), kInput, onnx::TensorProto::UINT8, graph.values[graph.input].shape);
        set_type(*onnx_.add_output(), kOutput, onnx::TensorProto::FLOAT, graph.values[graph.output].shape);
        used_.insert(kInput);
        names_[graph.output] = unique(kOutput);
    }

    void add_preprocessing(const std::vector<float>& mean) {
        const Shape& images = graph_.values[graph_.input].shape;
        auto& initializer = *onnx_.add_initializer();
        initializer.set_name(unique("data.mean"));
        set_data(initializer, onnx::TensorProto::FLOAT, {images[1], images[2], images[3]}, mean);
        set_attribute(add_node("Cast", "to_float", {kInput}), "to", int64_t{onnx::TensorProto::FLOAT});
        add_node("Sub", "subtract_mean", {"to_float", "data.mean"});
        set_attribute(add_node("Transpose", "to_nchw", {"subtract_mean"}), "perm", std::vector<int64_t>{0, 3, 1, 2});
        names_[graph_.input] = "to_nchw";
    }

    void add_operations() {
        for (size_t i = 0; i < graph_.operations.size(); ++i) add(graph_.operations[i], units_[i]);
    }

  private:
    std::string unique(const std::string& name) {
        std::string candidate = name;
        for (int number = 2; !used_.insert(candidate).second; ++number) candidate = fmt::format("{}_{}", name, number);
        return candidate;
    }

    // A node with one output, which has the name of the node.
    onnx::NodeProto& add_node(const char* type, const std::string& name, const std::vector<std::string>& inputs) {
        onnx::NodeProto& node = *onnx_.add_node();
        node.set_op_type(type);
        node.set_name(unique(name));
        for (const std::string& input : inputs) node.add_input(input);
        node.add_output(node.name());
        return node;
    }

    std::string constant(const std::string& name, const std::vector<int64_t>& values) {
        auto& initializer = *onnx_.add_initializer();
        initializer.set_name(unique(name));
        set_data(initializer, onnx::TensorProto::INT64, {static_cast<int64_t>(values.size())}, values);
        return initializer.name();
    }

    // The name of an operand; a weight is added to the model when it is first used.
    std::string operand(const Operation& operation, const char* role) {
        const size_t value = operation.input(role)->value;
        if (const auto known = names_.find(value); known != names_.end()) return known->second;
        const Shape& shape = graph_.values[value].shape;
        auto& initializer = *onnx_.add_initializer();
        initializer.set_name(unique(graph_.values[value].name));
        set_data(initializer, onnx::TensorProto::FLOAT, file_shape(shape),
                 to_channels_first(weights_.at(value), shape));
        return names_[value] = initializer.name();
    }

    std::vector<std::string> operands(const Operation& operation, std::initializer_list<const char*> roles) {
        std::vector<std::string> names;
        for (const char* role : roles) {
            if (operation.input(role) != nullptr) names.push_back(operand(operation, role));
        }
        return names;
    }

    void add(const Operation& operation, const std::string& unit) {
        std::string name = layer_of(graph_, operation);
        if (name.empty()) name = unit.empty() ? operation.name : unit + "." + operation.name;
        onnx::NodeProto& node = translate(operation, name);
        std::string& result = names_[operation.outputs.front().value];
        if (result.empty()) {
            result = node.output(0);
        } else {
            node.set_output(0, result);  // The output of the network has its own name.
        }
    }

    onnx::NodeProto& translate(const Operation& operation, const std::string& name) {
        const auto inputs = [&](std::initializer_list<const char*> roles) { return operands(operation, roles); };
        if (operation.name == "conv") return add_conv(operation, name);
        if (operation.name == "batch_norm") {
            auto& node = add_node("BatchNormalization", name, inputs({"x", "gamma", "beta", "mean", "variance"}));
            set_attribute(node, "epsilon", static_cast<float>(operation.attribute<double>("epsilon")));
            return node;
        }
        if (operation.name == "relu") return add_node("Relu", name, inputs({"x"}));
        if (operation.name == "add") return add_node("Add", name, inputs({"a", "b"}));
        if (operation.name == "average_pool") {
            auto& node = add_node("AveragePool", name, inputs({"x"}));
            set_attribute(node, "kernel_shape", std::vector<int64_t>{2, 2});
            set_attribute(node, "strides", std::vector<int64_t>{2, 2});
            return node;
        }
        if (operation.name == "subsample") {
            constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
            return add_node(
                "Slice", name,
                {operand(operation, "x"), constant(name + ".starts", {0, 0}), constant(name + ".ends", {kEnd, kEnd}),
                 constant(name + ".axes", {2, 3}), constant(name + ".steps", {2, 2})});
        }
        if (operation.name == "zero_channels") {
            const int64_t before = operation.attribute<int64_t>("before"),
                          after = operation.attribute<int64_t>("after");
            return add_node("Pad", name,
                            {operand(operation, "x"), constant(name + ".pads", {0, before, 0, 0, 0, after, 0, 0})});
        }
        if (operation.name == "global_average_pool") {
            auto& pool = add_node("GlobalAveragePool", name, inputs({"x"}));
            return add_node("Flatten", name + ".flatten", {pool.output(0)});
        }
        if (operation.name == "linear") {
            auto& node = add_node("Gemm", name, inputs({"x", "weight", "bias"}));
            set_attribute(node, "transB", int64_t{1});
            return node;
        }
        throw InputError(
            fmt::format("the network has an operation '{}', which cannot be exported: it has no "
                        "counterpart in ONNX",
                        operation.name));
    }

    onnx::NodeProto& add_conv(const Operation& operation, const std::string& name) {
        const auto at = [&](const char* attribute) { return operation.attribute<int64_t>(attribute); };
        auto& node = add_node("Conv", name, operands(operation, {"x", "weight", "bias"}));
        set_attribute(node, "kernel_shape", std::vector<int64_t>(2, at("kernel")));
        set_attribute(node, "strides", std::vector<int64_t>(2, at("stride")));
        set_attribute(node, "pads",
                      std::vector<int64_t>{at("pad_top"), at("pad_left"), at("pad_bottom"), at("pad_right")});
        return node;
    }

    const Graph& graph_;
    const Weights& weights_;
    onnx::GraphProto& onnx_;
    std::vector<std::string> units_;
    std::map<size_t, std::string> names_;  // Of the values that the model has so far, and of the output.
    std::set<std::string> used_;
};

}  // namespace

std::string onnx_model(const Graph& graph, const Weights& weights, const OnnxDescription& description) {
    onnx::ModelProto model;
    model.set_ir_version(kIrVersion);
    model.add_opset_import()->set_version(kOpset);
    model.set_producer_name("residual");
    model.set_producer_version(RESIDUAL_VERSION);
    model.set_doc_string(description.title);
    auto& metadata = *model.add_metadata_props();
    metadata.set_key("class_names");
    metadata.set_value(nlohmann::json(description.class_names).dump());
    model.mutable_graph()->set_name("network");

    Builder builder(graph, weights, *model.mutable_graph());
    builder.add_preprocessing(description.mean);
    builder.add_operations();

    // The limit of protocol buffers.
    if (model.ByteSizeLong() > size_t{std::numeric_limits<int32_t>::max()}) {
        throw Error(
            fmt::format("the model has {} bytes, but an ONNX file holds at most 2147483647", model.ByteSizeLong()));
    }
    return model.SerializeAsString();
}

}  // namespace residual::tools
