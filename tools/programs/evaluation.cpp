#include "tools/programs/evaluation.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "tools/programs/load_data.h"
#include "tools/run/compatibility.h"
#include "tools/run/session.h"
#include "tools/run/stored_network.h"

namespace residual::tools {
namespace {

std::vector<std::string> overrides_of(const EvaluationOptions& options) {
    std::vector<std::string> overrides;
    if (!options.data.empty()) overrides.push_back(text_override("data.dir", options.data));
    if (!options.device.empty()) overrides.push_back(text_override("train.device", options.device));
    return overrides;
}

// The per-pixel mean in the checkpoint, or that of the training images.
std::vector<float> mean_for(const Checkpoint& checkpoint, const DataDescription& description, const Images& images) {
    if (auto stored = checkpoint.mean(description.image_shape())) return *std::move(stored);
    if (!images.data.train.empty()) return pixel_mean(description, images.data.train);
    throw InputError(
        fmt::format("{}: the file has no per-pixel mean (tensor data.mean), and {} has no training files to compute it "
                    "from; give a folder of all files with --data",
                    checkpoint.path().string(), images.folder));
}

}  // namespace

TestResult evaluate_checkpoint(const Checkpoint& checkpoint, const EvaluationOptions& options) {
    Session session(experiment_for(checkpoint, options.config, overrides_of(options)), options.log);
    checkpoint.load_into(*session.backend, session.parameters);

    Images images = load_data(session.experiment.data, TrainingImages::optional);
    DataSet& data = images.data;
    const bool checked = checkpoint.info() && !data.train.empty();
    refuse_other_data(checkpoint, session.data, checked ? std::optional(data.fingerprint) : std::nullopt,
                      images.folder);
    const Tensor mean = session.set_mean(mean_for(checkpoint, session.data, images));
    Batches test = session.test_batches(data.test, mean);

    std::vector<int64_t> labels = labels_of(session.data, data.test);
    TestResult result{.network = session.description(),
                      .device = session.backend->description(),
                      .folder = images.folder,
                      .training_images_checked = checked,
                      .data = session.data,
                      .records = std::move(data.test),
                      .averages = {},
                      .logits = {},
                      .labels = std::move(labels),
                      .predictions = {}};
    result.averages = evaluate(*session.backend, *session.model, test, &result.logits);
    result.predictions = predictions_of(result.logits, result.labels);
    return result;
}

}  // namespace residual::tools
