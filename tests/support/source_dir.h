// Where the tests find the repository's files.
#pragma once

#include <cstdlib>
#include <string>

namespace test {

// The folder that the tests were built from, or RESIDUAL_SOURCE_DIR where the programs have been carried elsewhere.
inline std::string source_dir() {
    const char* const carried = std::getenv("RESIDUAL_SOURCE_DIR");
    return carried != nullptr ? carried : SOURCE_DIR;
}

}  // namespace test
