// How the programs end, as their --help says.
#pragma once

namespace residual::tools {

enum ExitCode { kDone = 0, kFailed = 1, kWrongInput = 2, kDiverged = 3 };

// Of a run that `signal` stopped; 0: none did.
inline int exit_code_after(int signal) {
    return signal == 0 ? int{kDone} : 128 + signal;
}

}  // namespace residual::tools
