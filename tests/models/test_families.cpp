// Families of networks: what they announce, and that they train where no fused kernel knows their shapes.
#include <algorithm>
#include <string>
#include <vector>

#include "engine/data/cifar10.h"
#include "models/registry.h"
#include "tests/catch.h"

namespace {

struct Announced {
    explicit Announced(const models::ModelConfig& config, const engine::DataDescription& data) {
        models::make_model(parameters, config, data);
    }
    int64_t count() const {
        int64_t sum = 0;
        for (const auto& parameter : parameters.parameters()) sum += parameter->shape.elements();
        return sum;
    }
    // Of the parameters whose names contain `part`.
    std::vector<std::string> names(const std::string& part) const {
        std::vector<std::string> found;
        for (const auto& parameter : parameters.parameters()) {
            if (parameter->name.find(part) != std::string::npos) found.push_back(parameter->name);
        }
        return found;
    }
    engine::Shape shape(const std::string& name) const {
        const auto& all = parameters.parameters();
        const auto found = std::find_if(all.begin(), all.end(), [&](const auto& p) { return p->name == name; });
        REQUIRE(found != all.end());
        return (*found)->shape;
    }

    engine::nn::Parameters parameters;
};

}  // namespace

TEST_CASE("networks have as many parameters as published", "[models]") {
    const auto count = [](const models::ModelConfig& config) {
        return Announced(config, engine::cifar10_description()).count();
    };
    CHECK(count(models::ResNetConfig{.depth = 20}) == 269'722);
    CHECK(count(models::WideResNetConfig{.depth = 16, .widening = 4}) == 2'748'890);
    // Table 4 of Zagoruyko & Komodakis 2016, in millions: 0.6, 8.9, 11.0, 36.5.
    CHECK(count(models::WideResNetConfig{.depth = 40, .widening = 1}) == 563'930);
    CHECK(count(models::WideResNetConfig{.depth = 40, .widening = 4}) == 8'949'210);
    CHECK(count(models::WideResNetConfig{.depth = 16, .widening = 8}) == 10'961'370);
    CHECK(count(models::WideResNetConfig{.depth = 28, .widening = 10}) == 36'479'194);
}

TEST_CASE("a wide network has a projection wherever the channels change, and nowhere else", "[models]") {
    const auto data = engine::cifar10_description();
    const Announced wide(models::WideResNetConfig{.depth = 16, .widening = 2}, data);
    CHECK(wide.names(".shortcut.") == std::vector<std::string>{"stages.0.0.shortcut.weight",
                                                               "stages.1.0.shortcut.weight",
                                                               "stages.2.0.shortcut.weight"});
    CHECK(wide.shape("stages.0.0.shortcut.weight") == engine::Shape{32, 1, 1, 16});
    CHECK(wide.shape("stem.weight") == engine::Shape{16, 3, 3, 3});
    CHECK(wide.shape("stages.2.1.conv2.weight") == engine::Shape{128, 3, 3, 128});
    CHECK(wide.shape("stages.2.0.norm1.weight") == engine::Shape{64});
    CHECK(wide.shape("head.weight") == engine::Shape{10, 128});
    CHECK(Announced(models::WideResNetConfig{.depth = 16, .widening = 1}, data).names(".shortcut.") ==
          std::vector<std::string>{"stages.1.0.shortcut.weight", "stages.2.0.shortcut.weight"});
}

TEST_CASE("networks take channels and classes from the data", "[models]") {
    engine::DataDescription data = engine::cifar10_description();
    data.channels = 1;
    data.class_names.resize(4);
    for (const models::ModelConfig& config : {models::ModelConfig(models::ResNetConfig{.depth = 8}),
                                              models::ModelConfig(models::WideResNetConfig{.depth = 10})}) {
        INFO(config.title());
        const Announced network(config, data);
        CHECK(network.shape("stem.weight")[3] == 1);
        CHECK(network.shape("head.weight")[0] == 4);
    }
}

TEST_CASE("a network is named by its family and its keys", "[models]") {
    using models::ModelConfig, models::ResNetConfig, models::WideResNetConfig;
    CHECK(ModelConfig().title() == "ResNet-56 (preact, shortcut avgpool_zeropad)");
    CHECK(ModelConfig(ResNetConfig{.depth = 20, .shortcut = models::Shortcut::none}).title() ==
          "Plain-20 (preact, shortcut none)");
    CHECK(ModelConfig(WideResNetConfig{.depth = 28, .widening = 10}).title() == "WRN-28-10");
}
