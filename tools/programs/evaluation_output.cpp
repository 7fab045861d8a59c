#include "tools/programs/evaluation_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "tools/programs/csv.h"

namespace residual::tools {
namespace {

using Json = nlohmann::ordered_json;

const std::string& class_name(const TestResult& result, int64_t label) {
    return result.data.class_names.at(static_cast<size_t>(label));
}

Json confusion_json(const ConfusionMatrix& confusion) {
    Json rows = Json::array();
    for (int label = 0; label < confusion.classes(); ++label) {
        Json row = Json::array();
        for (int predicted = 0; predicted < confusion.classes(); ++predicted) {
            row.push_back(confusion.count(label, predicted));
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

// Three lists instead of one object per image: shorter, and the form in which data frames are made.
Json predictions_json(const std::vector<Prediction>& predictions) {
    Json labels = Json::array(), predicted = Json::array(), probabilities = Json::array();
    for (const Prediction& prediction : predictions) {
        labels.push_back(prediction.label);
        predicted.push_back(prediction.predicted);
        probabilities.push_back(std::round(prediction.probability * 1e6) / 1e6);
    }
    return {{"label", labels}, {"predicted", predicted}, {"probability", probabilities}};
}

}  // namespace

void write_logits(const std::filesystem::path& path, const TestResult& result) {
    const std::vector<TensorView> tensors = {
        {"labels", SafetensorsType::kI64, {result.images()}, std::as_bytes(std::span(result.labels))},
        {"logits",
         SafetensorsType::kF32,
         {result.images(), result.data.classes()},
         std::as_bytes(std::span(result.logits))}};
    write_safetensors(path, tensors);
}

std::string confusion_csv(const TestResult& result) {
    const ConfusionMatrix confusion = result.confusion();
    std::vector<std::string> fields = {"label"};
    fields.insert(fields.end(), result.data.class_names.begin(), result.data.class_names.end());
    std::string text = csv_line(fields);
    for (int label = 0; label < confusion.classes(); ++label) {
        fields = {class_name(result, label)};
        for (int predicted = 0; predicted < confusion.classes(); ++predicted) {
            fields.push_back(std::to_string(confusion.count(label, predicted)));
        }
        text += csv_line(fields);
    }
    return text;
}

std::string predictions_csv(const TestResult& result) {
    std::string text = "image,label,prediction,probability\n";
    for (size_t image = 0; image < result.predictions.size(); ++image) {
        const Prediction& prediction = result.predictions[image];
        const std::vector<std::string> fields = {std::to_string(image), class_name(result, prediction.label),
                                                 class_name(result, prediction.predicted),
                                                 fmt::format("{:.6f}", prediction.probability)};
        text += csv_line(fields);
    }
    return text;
}

std::string evaluation_json(const Checkpoint& checkpoint, const TestResult& result) {
    const ConfusionMatrix confusion = result.confusion();
    Json out{{"checkpoint", checkpoint.path().string()}};
    if (checkpoint.info()) out["step"] = checkpoint.info()->step;
    out["samples"] = result.images();
    out["test_loss"] = result.averages.loss;
    out["test_accuracy"] = result.averages.accuracy;
    out["training_images_checked"] = result.training_images_checked;
    out["top5_accuracy"] = top_k_accuracy(result.logits, result.labels);
    out["calibration_error"] = expected_calibration_error(result.predictions);
    out["classes"] = result.data.class_names;
    Json accuracies = Json::array();
    for (int label = 0; label < confusion.classes(); ++label) {
        const auto accuracy = confusion.accuracy(label);
        accuracies.push_back(accuracy ? Json(*accuracy) : Json());
    }
    out["class_accuracy"] = std::move(accuracies);
    out["confusion"] = confusion_json(confusion);
    out["predictions"] = predictions_json(result.predictions);
    return out.dump();
}

std::string evaluation_text(const Checkpoint& checkpoint, const TestResult& result) {
    const Evaluation& averages = result.averages;
    std::string text = fmt::format("{}\n{} images of {}: test loss {:.4f}, test accuracy {:.2f} % (error {:.2f} %)\n",
                                   result.network, result.images(), result.folder, averages.loss,
                                   100 * averages.accuracy, 100 * (1 - averages.accuracy));
    text += fmt::format("top-5 accuracy {:.2f} %, expected calibration error {:.2f} %\naccuracy by class\n",
                        100 * top_k_accuracy(result.logits, result.labels),
                        100 * expected_calibration_error(result.predictions));
    const auto& names = result.data.class_names;
    const size_t width = std::ranges::max_element(names, {}, &std::string::size)->size();
    const ConfusionMatrix confusion = result.confusion();
    for (int label = 0; label < confusion.classes(); ++label) {
        const auto accuracy = confusion.accuracy(label);
        text += fmt::format("  {:<{}}  {}\n", names[label], width,
                            accuracy ? fmt::format("{:6.2f} %", 100 * *accuracy) : "no images");
    }
    if (checkpoint.info() && !result.training_images_checked) {
        text += "the folder has no training images to compare with the checkpoint's\n";
    }
    return text;
}

}  // namespace residual::tools
