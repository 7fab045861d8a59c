// Files of a PyTorch state dictionary: names, types and what is refused.
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "engine/io/checkpoint.h"
#include "engine/io/snapshot.h"
#include "engine/io/tensor_values.h"
#include "tests/catch.h"
#include "tests/io/temporary_folder.h"
#include "tests/support/array.h"

namespace {

using namespace residual;
using tests::TemporaryFolder;

// A tensor that owns its bytes.
struct Array {
    template <class T>
    Array(std::string name, SafetensorsType type, std::vector<int64_t> shape, const std::vector<T>& values)
        : name(std::move(name)), type(type), shape(std::move(shape)), bytes(values.size() * sizeof(T)) {
        if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    }
    TensorView view() const { return {name, type, shape, bytes}; }

    std::string name;
    SafetensorsType type;
    std::vector<int64_t> shape;
    std::vector<std::byte> bytes;
};

// A network of a bias and a batch norm's running mean, and the tensors of a file that fits it.
class Fixture {
  public:
    Fixture() : backend(make_cpu_backend()) {
        bias = parameters.add("head.bias", {3}, nn::Role::kVector, nn::Init::kOnes);
        statistic = parameters.add_buffer("norm.running_mean", {2}, nn::Init::kZeros);
        parameters.allocate(*backend, DType::kFloat32, 1);
    }

    Checkpoint written() const {
        std::vector<TensorView> views;
        for (const Array& array : arrays) views.push_back(array.view());
        write_safetensors(folder / "w.safetensors", views);
        return Checkpoint::read(folder / "w.safetensors");
    }
    void load() { written().load_into(*backend, parameters); }
    std::string refusal() {
        try {
            load();
        } catch (const InputError& error) {
            return error.what();
        }
        return "accepted";
    }
    void prefix_names(const std::string& prefix) {
        for (Array& array : arrays) array.name.insert(0, prefix);
    }
    std::vector<float> loaded(const Tensor& tensor) const { return test::values_of<float>(*backend, tensor); }

    TemporaryFolder folder;
    std::unique_ptr<Backend> backend;
    nn::Parameters parameters;
    std::shared_ptr<nn::Parameter> bias;
    std::shared_ptr<nn::Buffer> statistic;
    std::vector<Array> arrays = {
        {"head.bias", SafetensorsType::kF32, {3}, std::vector<float>{1, 2, 3}},
        {"norm.running_mean", SafetensorsType::kF32, {2}, std::vector<float>{4, 5}},
    };
    const Array counter{"norm.num_batches_tracked", SafetensorsType::kI64, {}, std::vector<int64_t>{7}};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "num_batches_tracked is ignored beside a batch norm only", "[io]") {
    arrays.push_back(counter);
    load();
    CHECK(loaded(bias->weight) == std::vector<float>{1, 2, 3});
    CHECK(loaded(statistic->value) == std::vector<float>{4, 5});
    arrays.back().name = "head.num_batches_tracked";
    CHECK_THAT(refusal(), ContainsSubstring("the tensor head.num_batches_tracked is not part of this model"));
    arrays.back().name = "norm.num_batches";
    CHECK_THAT(refusal(), ContainsSubstring("the tensor norm.num_batches is not part of this model"));
}

TEST_CASE_METHOD(Fixture, "the prefix of a wrapped PyTorch model is accepted if every name has it", "[io]") {
    arrays.push_back(counter);
    const std::string prefix = GENERATE("module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.");
    prefix_names(prefix);
    load();
    CHECK(loaded(bias->weight) == std::vector<float>{1, 2, 3});
    CHECK(loaded(statistic->value) == std::vector<float>{4, 5});
    arrays.front().type = SafetensorsType::kI32;
    CHECK_THAT(refusal(), ContainsSubstring("the tensor " + prefix + "head.bias has the type I32"));
    arrays.front() = {"head.bias", SafetensorsType::kF32, {3}, std::vector<float>{1, 2, 3}};
    CHECK_THAT(refusal(), ContainsSubstring("the tensor norm.running_mean is missing"));
}

TEST_CASE_METHOD(Fixture, "the names of a model that start like a wrapper are kept", "[io]") {
    nn::Parameters wrapped;
    const auto weight = wrapped.add("module.head.bias", {3}, nn::Role::kVector, nn::Init::kOnes);
    wrapped.add_buffer("module.norm.running_mean", {2}, nn::Init::kZeros);
    wrapped.allocate(*backend, DType::kFloat32, 1);
    arrays.push_back(counter);
    prefix_names("module.");
    written().load_into(*backend, wrapped);
    CHECK(loaded(weight->weight) == std::vector<float>{1, 2, 3});
}

TEST_CASE_METHOD(Fixture, "a missing tensor is reported with tensors that the file has instead", "[io]") {
    arrays[0].name = "fc.bias";
    CHECK_THAT(refusal(),
               ContainsSubstring("w.safetensors: the tensor head.bias is missing; not part of this model: fc.bias"));
    for (const char* name : {"a", "b", "c"}) {
        arrays.push_back(arrays[0]);
        arrays.back().name = name;
    }
    CHECK_THAT(refusal(), ContainsSubstring("not part of this model: fc.bias, a, b and 1 more") &&
                              !ContainsSubstring("import_weights"));
    arrays[2].name = "conv1.weight";
    arrays[3].name = "layer1.0.conv1.weight";
    const std::string hint = "these are names of a PyTorch ResNet: convert the file with tools/import_weights.py";
    CHECK_THAT(refusal(), ContainsSubstring(hint));
    prefix_names("module.");
    CHECK_THAT(refusal(), ContainsSubstring(hint));
    arrays.erase(arrays.begin());
    arrays.resize(1, arrays.back());
    CHECK(refusal().ends_with("the tensor head.bias is missing"));
}

TEST_CASE_METHOD(Fixture, "weights of other floating types are converted to float32", "[io]") {
    SECTION("half precision") {
        arrays[0] = {"head.bias", SafetensorsType::kF16, {3}, std::vector<uint16_t>{0x3c01, 0xfbff, 0x0001}};
        load();
        CHECK(loaded(bias->weight) == std::vector<float>{1 + 0x1p-10f, -65504, 0x1p-24f});
    }
    SECTION("bfloat16") {
        arrays[0] = {"head.bias", SafetensorsType::kBF16, {3}, std::vector<uint16_t>{0x3f80, 0xc040, 0x0001}};
        load();
        CHECK(loaded(bias->weight) == std::vector<float>{1, -3, 0x1p-133f});
    }
    SECTION("double precision is rounded to nearest") {
        arrays[0] = {"head.bias", SafetensorsType::kF64, {3}, std::vector<double>{1 + 0x1p-24, 0.1, -1e-320}};
        load();
        CHECK(loaded(bias->weight) == std::vector<float>{1, 0.1f, -0.f});
    }
    SECTION("unaligned data") {
        const std::vector<double> values = {1.5, -2.5};
        std::vector<std::byte> bytes(1 + sizeof(double) * values.size());
        std::memcpy(bytes.data() + 1, values.data(), bytes.size() - 1);
        const TensorView view{"x", SafetensorsType::kF64, {2}, std::span(bytes).subspan(1)};
        CHECK(element(view, 0) == 1.5);
        CHECK(element(view, 1) == -2.5);
    }
}

TEST_CASE_METHOD(Fixture, "weights that are not finite in float32 are refused with their position", "[io]") {
    const auto refused = [&](Array array, const std::string& message) {
        arrays[0] = std::move(array);
        CHECK_THAT(refusal(), ContainsSubstring("the tensor head.bias " + message));
    };
    const double largest = std::numeric_limits<float>::max();
    refused({"head.bias", SafetensorsType::kF64, {3}, std::vector<double>{largest, 1e39, 0}},
            "holds 1e+39 at element 1, but all values must be finite in single precision");
    refused({"head.bias", SafetensorsType::kF64, {3}, std::vector<double>{0, 0, -1e300}}, "holds -1e+300 at element 2");
    refused({"head.bias", SafetensorsType::kF16, {3}, std::vector<uint16_t>{0, 0x7c00, 0}}, "holds inf at element 1");
    refused({"head.bias", SafetensorsType::kF16, {3}, std::vector<uint16_t>{0x7c01, 0, 0}}, "holds nan at element 0");
    refused({"head.bias", SafetensorsType::kBF16, {3}, std::vector<uint16_t>{0, 0, 0xff80}}, "holds -inf at element 2");
    refused({"head.bias", SafetensorsType::kI64, {3}, std::vector<int64_t>{1, 2, 3}},
            "has the type I64, but only F16, BF16, F32 and F64 are supported");
    refused({"head.bias", SafetensorsType::kBool, {3}, std::vector<uint8_t>{1, 0, 1}}, "has the type BOOL");
}

TEST_CASE_METHOD(Fixture, "the checkpoint of a run has exactly the names and types that runs write", "[io]") {
    const CheckpointInfo info{.config = "{}", .class_names = {"a"}, .test_accuracy = {}, .rows = {}};
    const auto refused = [&](const std::string& message) {
        std::vector<TensorView> views;
        for (const Array& array : arrays) views.push_back(array.view());
        write_safetensors(folder / "c", views, metadata_of(info, views));
        CHECK_THROWS_WITH(Checkpoint::read(folder / "c").load_into(*backend, parameters), ContainsSubstring(message));
    };
    arrays.push_back(counter);
    refused("the tensor norm.num_batches_tracked is not part of this model");
    arrays.pop_back();
    prefix_names("module.");
    refused("the tensor head.bias is missing; not part of this model: module.head.bias, module.norm.running_mean");
    arrays = {{"head.bias", SafetensorsType::kF64, {3}, std::vector<double>{1, 2, 3}},
              {"norm.running_mean", SafetensorsType::kF32, {2}, std::vector<float>{4, 5}}};
    refused("the tensor head.bias has the type F64, but only F32 is supported");
}
