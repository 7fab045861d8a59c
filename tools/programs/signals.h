// The signals by which users, shells and batch schedulers stop a training run or ask it to save.
#pragma once

#include "engine/train/run.h"

namespace residual::tools {

// Handles the signals of docs/checkpoints.md#signals from now on and returns the requests, which outlive the caller.
// A stopping signal within a second of the first one is the same request: `timeout` and batch schedulers send one
// several times. A later one, except SIGXCPU, terminates the process by that signal.
Signals& handle_signals();

}  // namespace residual::tools
