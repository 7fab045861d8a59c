#include "tools/programs/wait_policy.h"

#include <omp.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <cstdlib>
#include <initializer_list>

namespace residual::tools {

void sleep_while_waiting(char** argv) {
    for (const char* variable : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}) {
        if (std::getenv(variable) != nullptr) return;
    }
    if (omp_get_max_threads() == 1) return;
    // Without an interpreter the kernel was asked to start the dynamic loader itself, with the program as an argument.
    if (getauxval(AT_BASE) == 0) return;
    const auto* program = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
    if (program == nullptr || setenv("OMP_WAIT_POLICY", "passive", 1) != 0) return;
    execv(program, argv);
    unsetenv("OMP_WAIT_POLICY");
}

}  // namespace residual::tools
