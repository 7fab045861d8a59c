// Evaluates a checkpoint on the test images of its data set; common to resnet-eval and resnet-report.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/data/description.h"
#include "engine/io/checkpoint.h"
#include "engine/metrics/classification.h"
#include "engine/train/trainer.h"

namespace residual::tools {

struct EvaluationOptions {
    std::string data, device, config;  // As on the command line of resnet-eval; empty: not given.
    PlanLog log = {};                  // See CudaOptions.
};

struct TestResult {
    std::string network;           // Session::description().
    std::string device;            // Backend::description().
    std::string folder;            // Of the data set.
    bool training_images_checked;  // Whether the folder has training images, which are those of the checkpoint.
    DataDescription data;
    std::vector<uint8_t> records;  // The test images, see DataDescription.
    Evaluation averages;
    std::vector<float> logits;    // [images, classes], in the order of the test file
    std::vector<int64_t> labels;  // [images]
    std::vector<Prediction> predictions;

    int64_t images() const { return static_cast<int64_t>(labels.size()); }
    ConfusionMatrix confusion() const { return {data.classes(), predictions}; }
};

// Throws InputError if the network or the device cannot be used, DataError if there are no test images, InputError if
// the folder has other training images than those of the checkpoint, Error if a logit is not finite.
TestResult evaluate_checkpoint(const Checkpoint& checkpoint, const EvaluationOptions& options);

}  // namespace residual::tools
