// Where the tests find the repository's files.
#pragma once

#include <string>

namespace test {

// The folder that the tests were built from, or RESIDUAL_SOURCE_DIR where the programs have been carried elsewhere.
std::string source_dir();

}  // namespace test
