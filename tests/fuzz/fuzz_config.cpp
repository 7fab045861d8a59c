// The text of a configuration file: refused with InputError, or accepted and then the same after writing and reading.
#include <optional>

#include "engine/core/error.h"
#include "tests/fuzz/accepted.h"
#include "tests/fuzz/target.h"
#include "tools/run/experiment.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::optional<residual::tools::Experiment> experiment;
    try {
        experiment = residual::tools::experiment_from_json(fuzz::text_of(data, size), "input");
    } catch (const residual::InputError&) {
        return 0;
    }
    fuzz::expect_to_survive(*experiment);
    return 0;
}
