// resnet-predict: the most probable classes of images.
//
//     resnet-predict CHECKPOINT|RUN_FOLDER IMAGE... [--top N] [--json] [--device D] [--config FILE]
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "engine/train/trainer.h"
#include "tools/predict/image.h"
#include "tools/predict/image_paths.h"
#include "tools/programs/program.h"
#include "tools/programs/standard_streams.h"
#include "tools/run/compatibility.h"
#include "tools/run/session.h"
#include "tools/run/stored_network.h"

namespace {

struct Options {
    std::string checkpoint, device, config;
    std::vector<std::string> images;
    int top = 5;
    bool json = false;
};

struct ClassProbability {
    size_t label;
    double probability;
};

// The `top` most probable classes, most probable first; of equal ones the lower label first.
std::vector<ClassProbability> most_probable(std::span<const float> logits, int top) {
    const double largest = *std::ranges::max_element(logits);
    double sum = 0;
    std::vector<ClassProbability> all;
    for (size_t label = 0; label < logits.size(); ++label) {
        all.push_back({label, std::exp(logits[label] - largest)});
        sum += all.back().probability;
    }
    for (ClassProbability& each : all) each.probability /= sum;
    std::ranges::stable_sort(all, std::ranges::greater(), &ClassProbability::probability);
    all.resize(std::min(all.size(), static_cast<size_t>(top)));
    return all;
}

// A network with its weights.
class Classifier {
  public:
    Classifier(const residual::Checkpoint& checkpoint, const residual::tools::Experiment& experiment)
        : session_(experiment) {
        residual::tools::refuse_other_data(checkpoint, session_.data, std::nullopt, "");
        checkpoint.load_into(*session_.backend, session_.parameters);
        mean_ = session_.set_mean(residual::tools::mean_of(checkpoint, session_.data));
    }

    residual::Shape shape() const { return session_.data.image_shape(); }
    const std::vector<std::string>& class_names() const { return session_.data.class_names; }

    // The logits [images, classes] of images as records without their labels.
    std::vector<float> logits(const std::vector<std::vector<uint8_t>>& images) {
        std::vector<uint8_t> records;
        for (const auto& image : images) {
            constexpr uint8_t kAnyLabel = 0;  // of no use here, but part of a record
            records.push_back(kAnyLabel);
            records.insert(records.end(), image.begin(), image.end());
        }
        std::vector<float> logits;
        residual::Batches batches = session_.test_batches(records, mean_);
        residual::evaluate(*session_.backend, *session_.model, batches, &logits);
        return logits;
    }

  private:
    residual::tools::Session session_;
    residual::Tensor mean_;
};

// Writes one line per image, or with --json one object for all.
class Output {
  public:
    Output(const Options& options, const std::string& checkpoint, const std::vector<std::string>& class_names)
        : options_(options),
          class_names_(class_names),
          json_{{"checkpoint", checkpoint}, {"images", nlohmann::json::array()}} {}

    void add(const std::string& file, const std::vector<ClassProbability>& classes) {
        nlohmann::ordered_json listed = nlohmann::json::array();
        std::string line;
        for (const ClassProbability& each : classes) {
            const std::string& name = class_names_[each.label];
            listed.push_back({{"class", name}, {"label", each.label}, {"probability", each.probability}});
            line += fmt::format("{}{} {:.1f} %", line.empty() ? "" : ", ", name, 100 * each.probability);
        }
        if (options_.json) {
            json_["images"].push_back({{"file", file}, {"classes", listed}});
        } else {
            fmt::print("{}: {}\n", file, line);
        }
    }

    void finish() const {
        // A name of a file that is not UTF-8 gets replacement characters.
        using Json = nlohmann::ordered_json;
        if (options_.json) fmt::print("{}\n", json_.dump(-1, ' ', false, Json::error_handler_t::replace));
    }

  private:
    const Options& options_;
    const std::vector<std::string>& class_names_;
    nlohmann::ordered_json json_;
};

int predict(const Options& options) {
    const std::vector<std::string> files = residual::tools::image_files(options.images);
    const auto checkpoint = residual::tools::open_checkpoint(options.checkpoint);
    std::vector<std::string> overrides;
    if (!options.device.empty()) overrides.push_back(residual::tools::text_override("train.device", options.device));
    Classifier classifier(checkpoint, residual::tools::experiment_for(checkpoint, options.config, overrides));
    Output output(options, checkpoint.path().string(), classifier.class_names());

    int code = residual::tools::kDone;
    constexpr size_t kBatch = 128;  // Results appear after this many images.
    for (size_t begin = 0; begin < files.size(); begin += kBatch) {
        std::vector<std::string> readable;
        std::vector<std::vector<uint8_t>> images;
        for (size_t i = begin; i < std::min(files.size(), begin + kBatch); ++i) {
            try {
                const auto image = residual::tools::decode_image(residual::tools::read_image_file(files[i]));
                images.push_back(residual::tools::planes_of(image, classifier.shape()));
                readable.push_back(files[i]);
            } catch (const residual::InputError& error) {
                residual::tools::print_error("resnet-predict", files[i] + ": " + error.what());
                code = residual::tools::kWrongInput;
            }
        }
        if (images.empty()) continue;
        const std::vector<float> logits = classifier.logits(images);
        const size_t classes = logits.size() / images.size();
        for (size_t i = 0; i < images.size(); ++i) {
            output.add(readable[i], most_probable(std::span(logits).subspan(i * classes, classes), options.top));
        }
    }
    output.finish();
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Prints the most probable classes of PNG and JPEG images.", "resnet-predict");
    Options options;
    residual::tools::add_path(app, "checkpoint", options.checkpoint,
                              "safetensors file written by resnet-train, or a run folder: its last checkpoint")
        ->required();
    residual::tools::add_path(app, "image", options.images,
                              "PNG and JPEG files of any size, folders of them, or - for standard input")
        ->required();
    app.add_option("--top", options.top, "classes to print for each image (default: 5)")->check(CLI::Range(1, 256));
    app.add_flag("--json", options.json, "print one JSON object");
    app.add_option("--device", options.device,
                   "cuda, cuda:N (GPU number N), cpu or auto (a GPU if there is one; default)");
    residual::tools::add_path(app, "--config", options.config,
                              "configuration file; needed if the checkpoint contains none");
    app.footer(std::string(residual::tools::kExitCodes) +
               " An image that cannot be read is named on standard error; the others are predicted, and the exit code "
               "is 2.");
    return residual::tools::run_program(app, argc, argv, [&] { return predict(options); });
}
