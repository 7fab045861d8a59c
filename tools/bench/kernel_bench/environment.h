// Where a measurement was made.
#pragma once

#include <string>

namespace residual::bench {

// "Linux x86_64, AMD EPYC, 2 processors".
std::string machine_text();
// The commit of the checkout that holds the running program, with "-dirty" where files differ from it; "" outside of
// one, or where git is not installed.
std::string commit_text();

}  // namespace residual::bench
