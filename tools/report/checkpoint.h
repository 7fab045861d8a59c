// What the last checkpoint of a run adds to its report.
#pragma once

#include "tools/report/run.h"

namespace residual::tools {

// Reads the last checkpoint that is not damaged and evaluates it: fills checkpoint, info, filters and test, and
// experiment if it is empty. What cannot be had is left empty, and a remark says why. Without `options.data`, the test
// images are searched in the data.dir of the run.
void read_checkpoint(ReportRun& run, const EvaluationOptions& options);

}  // namespace residual::tools
