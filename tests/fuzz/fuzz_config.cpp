// The text of a configuration file is refused with InputError, or accepted and unchanged by a JSON round trip.
#include <optional>

#include "engine/core/error.h"
#include "tests/fuzz/round_trip.h"
#include "tests/fuzz/target.h"
#include "tools/run/experiment.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::optional<residual::tools::Experiment> experiment;
    try {
        experiment = residual::tools::experiment_from_json(fuzz::text_of(data, size), "input");
    } catch (const residual::InputError&) {
        return 0;
    }
    fuzz::expect_round_trip(*experiment);
    return 0;
}
