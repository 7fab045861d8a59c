// Values of --set, one per line, applied to a valid configuration, are refused with InputError, or accepted and
// unchanged by a JSON round trip.
#include <optional>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "tests/fuzz/round_trip.h"
#include "tests/fuzz/target.h"
#include "tools/run/experiment.h"

namespace {

constexpr const char* kConfiguration = R"({
    "$schema": "schema.json",
    "model": {"depth": 20, "block": "preact"},
    "data": {"dir": null, "augment": {"pad": 4}},
    "schedule": {"boundaries": [100], "values": [0.1, 0.01]},
    "run": {"dir": "runs/resnet20"}
})";

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    for (size_t end; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1)) {
        lines.emplace_back(text.substr(0, end));
    }
    if (!text.empty()) lines.emplace_back(text);
    return lines;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::optional<residual::tools::Experiment> experiment;
    try {
        experiment = residual::tools::experiment_from_json(kConfiguration, "file", lines_of(fuzz::text_of(data, size)));
    } catch (const residual::InputError&) {
        return 0;
    }
    fuzz::expect_round_trip(*experiment);
    return 0;
}
