// What resnet-eval prints and writes.
#pragma once

#include <filesystem>
#include <string>

#include "engine/io/checkpoint.h"
#include "tools/programs/evaluation.h"

namespace residual::tools {

// A safetensors file: logits [images, classes] float32 and labels [images] int64.
void write_logits(const std::filesystem::path& path, const TestResult& result);

// The first line is "label" and the names of the predicted classes. Then one line per true class: its name, and the
// number of images by predicted class.
std::string confusion_csv(const TestResult& result);

// The line "image,label,prediction,probability", then one line per image: its index in the test file from 0, the names
// of both classes, and the softmax probability of the prediction.
std::string predictions_csv(const TestResult& result);

// One JSON object; docs/programs.md lists its keys.
std::string evaluation_json(const Checkpoint& checkpoint, const TestResult& result);

// The lines that resnet-eval prints without --json.
std::string evaluation_text(const Checkpoint& checkpoint, const TestResult& result);

}  // namespace residual::tools
