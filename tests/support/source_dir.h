// The location of the repository's files.
#pragma once

#include <string>

namespace test {

// The source folder of the build, or the environment variable RESIDUAL_SOURCE_DIR if the programs run elsewhere.
std::string source_dir();

}  // namespace test
