// How the programs end, as their --help says.
#pragma once

namespace tools {

enum ExitCode { kDone = 0, kFailed = 1, kWrongInput = 2, kDiverged = 3 };

}  // namespace tools
