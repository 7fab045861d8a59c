// What OpenMP's threads do while they wait for each other.
#pragma once

namespace residual::tools {

// Lets waiting threads sleep (OMP_WAIT_POLICY=passive) instead of spin, which takes the core from a thread that works
// if another process uses a core too. OpenMP reads the variable when it is loaded, so this restarts the program with
// the same arguments, in the same process. Returns, having done nothing, if the user has chosen (OMP_WAIT_POLICY,
// GOMP_SPINCOUNT or KMP_BLOCKTIME is set), if there is one thread only, or if the program cannot be restarted. Must be
// called before anything that a restart would repeat.
void sleep_while_waiting(char** argv);

}  // namespace residual::tools
