#include "tests/support/source_dir.h"

#include <cstdlib>

namespace test {

std::string source_dir() {
    const char* const carried = std::getenv("RESIDUAL_SOURCE_DIR");
    return carried != nullptr ? carried : SOURCE_DIR;
}

}  // namespace test
