// The machine and the commit of a measurement.
#pragma once

#include <string>

namespace residual::bench {

// "Linux x86_64, AMD EPYC, 2 processors".
std::string machine_text();
// The commit of the checkout that contains the running program, with "-dirty" if files differ from it; "" outside a
// checkout or without git.
std::string commit_text();

}  // namespace residual::bench
