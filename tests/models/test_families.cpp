// Families of networks: their parameters and their names.
#include <algorithm>
#include <string>
#include <vector>

#include "engine/data/cifar10.h"
#include "models/registry.h"
#include "tests/catch.h"

namespace {

struct Network {
    explicit Network(const residual::models::ModelConfig& config, const residual::DataDescription& data) {
        residual::models::make_model(parameters, config, data);
    }
    int64_t count() const {
        int64_t sum = 0;
        for (const auto& parameter : parameters.parameters()) sum += parameter->shape.elements();
        return sum;
    }
    // The names of the parameters that contain `part`.
    std::vector<std::string> names(const std::string& part) const {
        std::vector<std::string> found;
        for (const auto& parameter : parameters.parameters()) {
            if (parameter->name.find(part) != std::string::npos) found.push_back(parameter->name);
        }
        return found;
    }
    residual::Shape shape(const std::string& name) const {
        const auto& all = parameters.parameters();
        const auto found = std::find_if(all.begin(), all.end(), [&](const auto& p) { return p->name == name; });
        REQUIRE(found != all.end());
        return (*found)->shape;
    }

    residual::nn::Parameters parameters;
};

}  // namespace

TEST_CASE("networks have the published number of parameters", "[models]") {
    const auto count = [](const residual::models::ModelConfig& config) {
        return Network(config, residual::cifar10_description()).count();
    };
    CHECK(count(residual::models::ResNetConfig{.depth = 20}) == 269'722);
    CHECK(count(residual::models::WideResNetConfig{.depth = 16, .widening = 4}) == 2'748'890);
    // Table 4 of Zagoruyko & Komodakis 2016, in millions: 0.6, 8.9, 11.0, 36.5.
    CHECK(count(residual::models::WideResNetConfig{.depth = 40, .widening = 1}) == 563'930);
    CHECK(count(residual::models::WideResNetConfig{.depth = 40, .widening = 4}) == 8'949'210);
    CHECK(count(residual::models::WideResNetConfig{.depth = 16, .widening = 8}) == 10'961'370);
    CHECK(count(residual::models::WideResNetConfig{.depth = 28, .widening = 10}) == 36'479'194);
}

TEST_CASE("a wide network has projections exactly in the units that change the channels", "[models]") {
    const auto data = residual::cifar10_description();
    const Network wide(residual::models::WideResNetConfig{.depth = 16, .widening = 2}, data);
    CHECK(wide.names(".shortcut.") == std::vector<std::string>{"stages.0.0.shortcut.weight",
                                                               "stages.1.0.shortcut.weight",
                                                               "stages.2.0.shortcut.weight"});
    CHECK(wide.shape("stages.0.0.shortcut.weight") == residual::Shape{32, 1, 1, 16});
    CHECK(wide.shape("stem.weight") == residual::Shape{16, 3, 3, 3});
    CHECK(wide.shape("stages.2.1.conv2.weight") == residual::Shape{128, 3, 3, 128});
    CHECK(wide.shape("stages.2.0.norm1.weight") == residual::Shape{64});
    CHECK(wide.shape("head.weight") == residual::Shape{10, 128});
    CHECK(Network(residual::models::WideResNetConfig{.depth = 16, .widening = 1}, data).names(".shortcut.") ==
          std::vector<std::string>{"stages.1.0.shortcut.weight", "stages.2.0.shortcut.weight"});
}

TEST_CASE("networks take channels and classes from the data", "[models]") {
    residual::DataDescription data = residual::cifar10_description();
    data.channels = 1;
    data.class_names.resize(4);
    for (const residual::models::ModelConfig& config :
         {residual::models::ModelConfig(residual::models::ResNetConfig{.depth = 8}),
          residual::models::ModelConfig(residual::models::WideResNetConfig{.depth = 10})}) {
        INFO(config.title());
        const Network network(config, data);
        CHECK(network.shape("stem.weight")[3] == 1);
        CHECK(network.shape("head.weight")[0] == 4);
    }
}

TEST_CASE("the title of a network consists of its family and its keys", "[models]") {
    using residual::models::ModelConfig, residual::models::ResNetConfig, residual::models::WideResNetConfig;
    CHECK(ModelConfig().title() == "ResNet-56 (preact, shortcut avgpool_zeropad)");
    CHECK(ModelConfig(ResNetConfig{.depth = 20, .shortcut = residual::models::Shortcut::none}).title() ==
          "Plain-20 (preact, shortcut none)");
    CHECK(ModelConfig(WideResNetConfig{.depth = 28, .widening = 10}).title() == "WRN-28-10");
}
