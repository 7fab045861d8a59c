// The report of runs as one HTML page that needs no other file.
#pragma once

#include <span>
#include <string>

#include "tools/report/run.h"

namespace residual::tools {

// `command`: the command line that makes the page.
std::string report_page(std::span<const ReportRun> runs, const std::string& command);

}  // namespace residual::tools
