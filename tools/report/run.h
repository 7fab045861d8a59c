// What a run folder holds, for a report.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/shape.h"
#include "engine/io/checkpoint_info.h"
#include "tools/programs/evaluation.h"
#include "tools/report/rows.h"
#include "tools/run/experiment.h"

namespace residual::tools {

// The weights of the first convolution, [filters, height, width, channels].
struct Filters {
    Shape shape;
    std::vector<float> values;
};

// The test images that are classified wrongly with the highest probability, at most 25.
struct WrongImages {
    size_t all = 0;                // How many are classified wrongly.
    std::vector<size_t> images;    // Indices of those kept here, most probable first.
    std::vector<uint8_t> records;  // Theirs, in the same order.

    WrongImages() = default;
    explicit WrongImages(const TestResult& test);
};

// Parts that the folder does not have, or that cannot be read, are empty, and a remark says why.
struct ReportRun {
    std::filesystem::path folder;
    std::string name;                      // Unique in a report.
    std::filesystem::path config;          // config.json; empty if it could not be read.
    std::optional<Experiment> experiment;  // From config.json, else from the checkpoint.
    int64_t parameters = 0;                // 0 without an experiment.
    Rows rows;
    std::filesystem::path checkpoint;    // The last one in the folder that is not damaged.
    std::optional<CheckpointInfo> info;  // Of `checkpoint`.
    std::optional<Filters> filters;
    std::optional<TestResult> test;  // Of `checkpoint` on the test images, without their records.
    WrongImages wrong;               // Of `test`.
    std::vector<std::string> remarks;

    // "ResNet-20", "Plain-20", "WRN-16-4", and "unknown network" without an experiment.
    std::string network() const;
    // Updates done, according to rows and checkpoint.
    int64_t steps() const;
};

// Reads the folder and evaluates its last checkpoint. Throws InputError if `folder` is no run folder.
ReportRun read_run(const std::filesystem::path& folder, const EvaluationOptions& options);

// The same path for "a/b", "a/b/" and, in the folder "a/b", ".".
std::filesystem::path whole_path(const std::filesystem::path& folder);

// Gives each run the name of its folder, and as much of the path as tells it from the others.
void set_names(std::vector<ReportRun>& runs);

}  // namespace residual::tools
