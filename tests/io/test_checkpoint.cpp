// Checkpoints are read back unchanged; damaged and foreign files are refused.
#include "engine/io/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>

#include "engine/io/snapshot.h"
#include "tests/catch.h"
#include "tests/io/temporary_folder.h"
#include "tests/support/array.h"

namespace {

using namespace residual;
using tests::read_text;
using tests::TemporaryFolder;

// A convolution, a bias and a running statistic, with momenta.
struct Network {
    explicit Network(Backend& backend, uint64_t seed) : backend(backend) {
        weight = parameters.add("conv.weight", {2, 1, 3, 2}, nn::Role::kConvWeight, nn::Init::kXavierUniform);
        bias = parameters.add("head.bias", {3}, nn::Role::kVector, nn::Init::kOnes);
        statistic = parameters.add_buffer("norm.running_mean", {2}, nn::Init::kZeros);
        parameters.allocate(backend, DType::kFloat32, seed);
    }
    void set(const Tensor& tensor, const std::vector<float>& values) { backend.upload(values.data(), tensor); }
    std::vector<float> get(const Tensor& tensor) const { return test::values_of<float>(backend, tensor); }

    Backend& backend;
    nn::Parameters parameters;
    std::shared_ptr<nn::Parameter> weight, bias;
    std::shared_ptr<nn::Buffer> statistic;
};

std::vector<float> counted(int64_t count, float first) {
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i) values.push_back(first + static_cast<float>(i) / 8);
    return values;
}

class Fixture {
  public:
    Fixture() : backend(make_cpu_backend()), network(*backend, 1) {
        network.set(network.bias->momentum, {0.5f, -0.25f, 1e-40f});
        network.set(network.weight->momentum, counted(12, 3));
        network.set(network.statistic->value, {7, 8});
    }

    Snapshot snapshot() const { return {*backend, network.parameters, mean, {32, 32, 3}, info}; }
    std::filesystem::path written() const {
        snapshot().write(folder / "c.safetensors");
        return folder / "c.safetensors";
    }

    TemporaryFolder folder;
    std::unique_ptr<Backend> backend;
    Network network;
    std::vector<float> mean = counted(3072, 100);
    CheckpointInfo info{.config = R"({"a": "b"})",
                        .step = 12,
                        .class_names = {"zero", "one, \"quoted\""},
                        .data_fingerprint = 0xdeadbeef,
                        .test_accuracy = 0.1 + 0.2,
                        .rows = {.training = 10, .evaluation = 8, .sums = {}},
                        .environment = "Residual 1.0; CPU"};
};

// The message with which a file is refused; empty if it is accepted.
std::string refusal(const std::filesystem::path& path) {
    try {
        Checkpoint::read(path);
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

// Flips one bit of a file in place.
void flip(const std::filesystem::path& path, size_t at, size_t bit) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(at));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ (1 << bit)));
    REQUIRE(file.flush());
}

uint64_t header_bytes(const std::string& file) {
    uint64_t length = 0;
    std::memcpy(&length, file.data(), sizeof length);
    return length;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a checkpoint is read back bit for bit", "[io]") {
    info.rows.sums.cross_entropy = 1.0 / 3;
    info.rows.sums.weight_penalty = 5e-324;
    info.rows.sums.correct = 5;
    info.rows.sums.samples = 8;
    const Checkpoint checkpoint = Checkpoint::read(written());

    REQUIRE(checkpoint.info());
    CHECK(checkpoint.info()->config == info.config);
    CHECK(checkpoint.info()->step == 12);
    CHECK(checkpoint.info()->class_names == info.class_names);
    CHECK(checkpoint.info()->data_fingerprint == 0xdeadbeef);
    CHECK(checkpoint.info()->test_accuracy == 0.1 + 0.2);
    CHECK(checkpoint.info()->environment == "Residual 1.0; CPU");
    CHECK(checkpoint.info()->rows.training == 10);
    CHECK(checkpoint.info()->rows.evaluation == 8);
    CHECK(checkpoint.info()->rows.sums.cross_entropy == 1.0 / 3);
    CHECK(checkpoint.info()->rows.sums.weight_penalty == 5e-324);
    CHECK(checkpoint.info()->rows.sums.correct == 5);
    CHECK(checkpoint.info()->rows.sums.samples == 8);
    CHECK(checkpoint.mean({32, 32, 3}) == mean);
    CHECK_THROWS_WITH(checkpoint.mean({8, 4, 1}),
                      ContainsSubstring("data.mean has the shape [3, 32, 32], but the model needs [1, 8, 4]"));

    Network other(*backend, 2);
    REQUIRE(other.get(other.weight->weight) != network.get(network.weight->weight));
    checkpoint.load_into(*backend, other.parameters);
    checkpoint.load_momenta_into(*backend, other.parameters);
    CHECK(other.get(other.parameters.weights()) == network.get(network.parameters.weights()));
    CHECK(other.get(other.parameters.momenta()) == network.get(network.parameters.momenta()));
    CHECK(other.get(other.statistic->value) == network.get(network.statistic->value));

    info.test_accuracy.reset();
    info.environment.clear();
    CHECK_FALSE(Checkpoint::read(written()).info()->test_accuracy);
    CHECK(Checkpoint::read(written()).info()->environment.empty());
}

TEST_CASE_METHOD(Fixture, "the step is read from the header alone", "[io]") {
    const auto path = written();
    CHECK(read_checkpoint_step(path) == 12);
    const auto file = SafetensorsFile::read(path);
    write_safetensors(folder / "foreign", file.tensors(), {});
    CHECK_FALSE(read_checkpoint_step(folder / "foreign"));
    Metadata metadata = file.metadata();
    metadata["step"] = "13";
    write_safetensors(folder / "changed", file.tensors(), metadata);
    CHECK_THROWS_WITH(read_checkpoint_step(folder / "changed"), ContainsSubstring("the checksum of the metadata"));
}

TEST_CASE_METHOD(Fixture, "the size of a checkpoint is known before it is written", "[io]") {
    const auto size = static_cast<double>(std::filesystem::file_size(written()));
    const auto expected = static_cast<double>(checkpoint_bytes(network.parameters, {32, 32, 3}));
    CHECK(expected > size);
    // The metadata that it allows for, of which this small network has less.
    CHECK(expected - size < 5000);
}

TEST_CASE_METHOD(Fixture, "a convolution weight is stored as [out, in, kh, kw]", "[io]") {
    network.set(network.weight->weight, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});  // [2, 1, 3, 2]
    const auto file = SafetensorsFile::read(written());
    const TensorView* view = file.find("conv.weight");
    REQUIRE(view != nullptr);
    CHECK(view->shape == std::vector<int64_t>{2, 2, 1, 3});
    std::vector<float> values(12);
    std::memcpy(values.data(), view->data.data(), view->data.size());
    CHECK(values == std::vector<float>{0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11});
}

TEST_CASE_METHOD(Fixture, "a checkpoint with one bit flipped is refused, wherever the bit is", "[io]") {
    const auto path = written();
    const std::string whole = read_text(path);
    REQUIRE(refusal(path).empty());

    const SafetensorsFile file = SafetensorsFile::read(path);
    const std::byte* data = file.tensors().front().data.data();
    const size_t data_begin = 8 + header_bytes(whole);
    size_t accepted = 0;
    // The per-pixel mean is most of the file; a sample of its bits is enough.
    for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
        const size_t at = bit / 8;
        const TensorView* tensor = nullptr;
        for (const TensorView& view : file.tensors()) {
            const auto first = data_begin + static_cast<size_t>(view.data.data() - data);
            if (at >= first && at < first + view.data.size()) tensor = &view;
        }
        if (tensor != nullptr && tensor->name == "data.mean" && bit % 997 != 0) continue;
        flip(path, at, bit % 8);
        const std::string message = refusal(path);
        flip(path, at, bit % 8);
        if (message.empty()) {
            ++accepted;
            UNSCOPED_INFO("bit " << bit % 8 << " of byte " << at << " of " << data_begin << " header bytes");
        }
        if (tensor != nullptr && message.find("the tensor " + tensor->name + " has the checksum") == message.npos) {
            FAIL("byte " << at << " is of " << tensor->name << ", but the message is: " << message);
        }
    }
    CHECK(accepted == 0);
    CHECK(read_text(path) == whole);
}

TEST_CASE_METHOD(Fixture, "a truncated checkpoint is refused, whatever its length", "[io]") {
    const auto path = written();
    const std::string whole = read_text(path);
    std::filesystem::resize_file(path, whole.size() + 1);
    CHECK_FALSE(refusal(path).empty());
    for (size_t bytes = whole.size() - 1; bytes > 0; bytes -= bytes < 8 + header_bytes(whole) ? 1 : 61) {
        INFO(bytes << " of " << whole.size() << " bytes");
        std::filesystem::resize_file(path, bytes);
        // If the header is complete, the message names the first truncated tensor.
        const bool header_is_whole = bytes >= 8 + header_bytes(whole);
        REQUIRE_THAT(refusal(path), ContainsSubstring(header_is_whole ? "tensor \"" : "short"));
    }
}

TEST_CASE_METHOD(Fixture, "inconsistent metadata is refused even if its checksum is right", "[io]") {
    const auto refused = [&](const char* part) {
        CHECK_THROWS_WITH(Checkpoint::read(written()), ContainsSubstring(part));
    };
    info.rows.training = 13;
    refused("impossible at step 12");
    info.rows = {.training = 10, .evaluation = -1, .sums = {}};
    refused("impossible at step 12");
    info.rows = {};
    for (const double accuracy : {-0.5, 1.5, std::nan("")}) {
        info.test_accuracy = accuracy;
        refused("the test accuracy is ");
    }
    info.test_accuracy.reset();
    info.step = -1;
    refused("the step is -1");
}

TEST_CASE_METHOD(Fixture, "an unsupported format version is told apart from a damaged file", "[io]") {
    const auto file = SafetensorsFile::read(written());
    std::optional<std::string> names = file.metadata().at("class_names");
    const auto rewrite = [&](const std::string& version, const std::string& checksum) {
        Metadata metadata = file.metadata();
        metadata.erase("class_names");
        if (names) metadata["class_names"] = *names;
        metadata["format_version"] = version;
        metadata["checksum"] = checksum;
        write_safetensors(folder / "other", file.tensors(), metadata);
    };
    // Takes the checksum of the changed metadata from the message.
    const auto with_checksum = [&](const std::string& version) {
        rewrite(version, "00000000");
        try {
            Checkpoint::read(folder / "other");
        } catch (const InputError& error) {
            const std::string message = error.what(), mark = "the checksum of the metadata is ";
            REQUIRE(message.find(mark) != message.npos);
            rewrite(version, message.substr(message.find(mark) + mark.size(), 8));
        }
    };
    with_checksum("4");
    CHECK_THROWS_AS(Checkpoint::read(folder / "other"), FormatVersionError);
    CHECK_THROWS_WITH(Checkpoint::read(folder / "other"), ContainsSubstring("version 4") &&
                                                              ContainsSubstring("reads versions 2 to 3") &&
                                                              ContainsSubstring("newer program"));
    for (const char* broken : {"", "[]", "{}", "\"zero\"", "[0, 1]"}) {
        names = broken;
        with_checksum("3");
        CHECK_THROWS_WITH(Checkpoint::read(folder / "other"), ContainsSubstring("\"class_names\" is not a JSON list"));
    }
    names.reset();
    with_checksum("3");
    CHECK_THROWS_WITH(Checkpoint::read(folder / "other"), ContainsSubstring("\"class_names\" is missing"));
    // Version 2 had no class names.
    with_checksum("2");
    const Checkpoint older = Checkpoint::read(folder / "other");
    REQUIRE(older.info());
    CHECK(older.info()->class_names.empty());
    CHECK(older.info()->step == 12);
    CHECK(older.mean({32, 32, 3}) == mean);
    for (const char* version : {"0", "-2"}) {
        with_checksum(version);
        CHECK_THROWS_AS(Checkpoint::read(folder / "other"), FormatVersionError);
    }
    rewrite("1", "00000000");
    CHECK_THROWS_AS(Checkpoint::read(folder / "other"), FormatVersionError);
    rewrite("two", file.metadata().at("checksum"));
    CHECK_THROWS_WITH(Checkpoint::read(folder / "other"), ContainsSubstring("\"two\", not a number"));
}

TEST_CASE_METHOD(Fixture, "a snapshot names the first tensor that is not finite", "[io]") {
    CHECK(snapshot().first_not_finite().empty());
    const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    network.set(network.bias->momentum, {0, 0, -infinity});
    CHECK(snapshot().first_not_finite() == "optimizer.momentum.head.bias");
    network.set(network.statistic->value, {0, nan});
    CHECK(snapshot().first_not_finite() == "norm.running_mean");
    network.set(network.weight->weight, {0, 1, 2, 3, 4, 5, 6, nan, 8, 9, 10, 11});
    CHECK(snapshot().first_not_finite() == "conv.weight");
}

TEST_CASE_METHOD(Fixture, "weights that do not fit the model are refused with the name of the tensor", "[io]") {
    const auto file = SafetensorsFile::read(written());
    const auto refused = [&](const std::string& message, const std::function<void(std::vector<TensorView>&)>& change) {
        std::vector<TensorView> tensors = file.tensors();
        change(tensors);
        write_safetensors(folder / "other", tensors);
        CHECK_THROWS_WITH(Checkpoint::read(folder / "other").load_into(*backend, network.parameters),
                          ContainsSubstring((folder / "other").string()) && ContainsSubstring(message));
    };
    const auto named = [](std::vector<TensorView>& tensors, const std::string& name) {
        return std::find_if(tensors.begin(), tensors.end(), [&](const TensorView& view) { return view.name == name; });
    };
    refused("the tensor head.bias is missing", [&](auto& tensors) { tensors.erase(named(tensors, "head.bias")); });
    refused("the tensor norm.running_mean is missing",
            [&](auto& tensors) { named(tensors, "norm.running_mean")->name = "norm.running_meen"; });
    refused("the tensor stages.0 is not part of this model", [&](auto& tensors) {
        tensors.push_back(*named(tensors, "head.bias"));
        tensors.back().name = "stages.0";
    });
    refused("the tensor conv.weight has the shape [2, 1, 3, 2], but the model needs [2, 2, 1, 3]", [&](auto& tensors) {
        named(tensors, "conv.weight")->shape = {2, 1, 3, 2};
    });
    refused("the tensor head.bias has the type I32",
            [&](auto& tensors) { named(tensors, "head.bias")->type = SafetensorsType::kI32; });
}

TEST_CASE_METHOD(Fixture, "weights that are not finite are refused with their position", "[io]") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> weight = counted(12, 0);
    const std::vector<float> bias = {0, 1, 2}, statistic = {0, 1};
    const auto load = [&] {
        const auto view = [](const char* name, std::vector<int64_t> shape, const std::vector<float>& values) {
            return TensorView{name, SafetensorsType::kF32, std::move(shape), std::as_bytes(std::span(values))};
        };
        write_safetensors(folder / "from",
                          std::vector{view("conv.weight", {2, 2, 1, 3}, weight), view("head.bias", {3}, bias),
                                      view("norm.running_mean", {2}, statistic)});
        Checkpoint checkpoint = Checkpoint::read(folder / "from");
        CHECK_FALSE(checkpoint.info());
        checkpoint.load_into(*backend, network.parameters);
        return checkpoint;
    };
    const Checkpoint checkpoint = load();
    CHECK(network.get(network.bias->weight) == bias);
    CHECK_FALSE(checkpoint.mean({32, 32, 3}));
    CHECK_THROWS_WITH(checkpoint.load_momenta_into(*backend, network.parameters),
                      ContainsSubstring("optimizer.momentum.conv.weight is missing"));
    weight[7] = nan;
    CHECK_THROWS_WITH(load(), ContainsSubstring("the tensor conv.weight holds nan at element 7"));
}
