#include "engine/train/tensorboard.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "engine/train/confusion_image.h"

namespace residual {

TensorBoard::TensorBoard(const std::filesystem::path& folder, const std::filesystem::path& metrics,
                         const std::string& config, double weight_decay)
    : events_(folder), weight_decay_(weight_decay) {
    events_.restart(0);
    events_.write(0, Summary().add_text("config", "```\n" + config + "\n```"));
    read_rows(
        metrics, [this](const TrainingRow& row) { write(row); }, [this](const EvaluationRow& row) { write(row); });
}

void TensorBoard::write(const TrainingRow& row) {
    Summary summary;
    summary.add_scalar("loss/train", row.train_loss)
        .add_scalar("loss/train_cross_entropy", row.train_cross_entropy)
        .add_scalar("accuracy/train", row.train_accuracy)
        .add_scalar("training/learning_rate", row.learning_rate)
        .add_scalar("training/images_per_second", row.images_per_second);
    if (weight_decay_ > 0) {
        // The difference is the mean of weight_decay * |w|^2 / 2 over the steps of the row.
        const double penalty = std::max(row.train_loss - row.train_cross_entropy, 0.0);
        summary.add_scalar("training/weight_norm", std::sqrt(2 * penalty / weight_decay_));
    }
    events_.write(row.step, summary);
}

void TensorBoard::write(const EvaluationRow& row) {
    events_.write(row.step,
                  Summary().add_scalar("loss/test", row.test_loss).add_scalar("accuracy/test", row.test_accuracy));
}

void TensorBoard::write(int64_t step, const ConfusionMatrix& matrix, std::span<const std::string> class_names) {
    const ConfusionImage image = confusion_image(matrix);
    const std::string description = fmt::format(
        "Rows are true classes, columns predicted classes, both in this order: {}. Numbers and colours: "
        "percent of the images of the true class.",
        fmt::join(class_names, ", "));
    events_.write(step, Summary().add_png("confusion_matrix", description, image.png, image.size, image.size));
}

}  // namespace residual
