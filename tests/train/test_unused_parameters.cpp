// A step may not use all parameters; the gradient of an earlier step must not be applied again.
#include <algorithm>

#include "engine/ops/elementwise.h"
#include "engine/ops/pool.h"
#include "engine/train/trainer.h"
#include "tests/catch.h"

namespace {

class TwoBranches final : public residual::nn::Module {
  public:
    explicit TwoBranches(residual::nn::Parameters& parameters)
        : always_(parameters, "always", 3, 10), sometimes_(parameters, "sometimes", 3, 10) {}

    residual::Variable forward(residual::Context& context, const residual::Variable& images) const override {
        const auto features = residual::ops::global_average_pool(context, images);
        const auto logits = always_.forward(context, features);
        return both ? residual::ops::add(context, logits, sometimes_.forward(context, features)) : logits;
    }

    bool both = true;

  private:
    residual::nn::Linear always_, sometimes_;
};

}  // namespace

TEST_CASE("a parameter that a step does not use has zero gradient") {
    const auto backend = residual::make_cpu_backend();
    residual::nn::Parameters parameters;
    TwoBranches model(parameters);
    parameters.allocate(*backend, residual::DType::kFloat32, 0);
    const std::vector<float> images(2 * 4 * 4 * 3, 1.0f);
    const std::vector<int32_t> labels{3, 7};
    const residual::Batch batch{backend->from_host(images.data(), {2, 4, 4, 3}),
                                backend->from_host(labels.data(), {2})};

    const auto is_zero = [&](const std::string& name) {
        for (const auto& parameter : parameters.parameters()) {
            if (parameter->name != name) continue;
            std::vector<float> gradient(parameter->gradient.elements());
            backend->download(parameter->gradient, gradient.data());
            return std::all_of(gradient.begin(), gradient.end(), [](float x) { return x == 0; });
        }
        FAIL("no parameter " << name);
        return false;
    };
    residual::compute_gradients(*backend, model, parameters, batch);
    CHECK_FALSE(is_zero("always.weight"));
    CHECK_FALSE(is_zero("sometimes.weight"));
    model.both = false;
    residual::compute_gradients(*backend, model, parameters, batch);
    CHECK_FALSE(is_zero("always.weight"));
    CHECK(is_zero("sometimes.weight"));
    CHECK(is_zero("sometimes.bias"));
}
