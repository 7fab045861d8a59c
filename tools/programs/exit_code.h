// The exit codes of the programs, as documented in their --help.
#pragma once

namespace residual::tools {

enum ExitCode { kDone = 0, kFailed = 1, kWrongInput = 2, kDiverged = 3 };

// After a run that `signal` stopped; 0: no signal.
inline int exit_code_after(int signal) {
    return signal == 0 ? int{kDone} : 128 + signal;
}

}  // namespace residual::tools
