// The exit codes of the programs.
#pragma once

namespace residual::tools {

// For --help.
inline constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 failed while running, 2 wrong usage, configuration or input.";

enum ExitCode { kDone = 0, kFailed = 1, kWrongInput = 2, kDiverged = 3 };

// After a run that `signal` stopped; 0: no signal.
inline int exit_code_after(int signal) {
    return signal == 0 ? int{kDone} : 128 + signal;
}

}  // namespace residual::tools
