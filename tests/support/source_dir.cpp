#include "tests/support/source_dir.h"

#include <cstdlib>

namespace test {

std::string source_dir() {
    const char* const override = std::getenv("RESIDUAL_SOURCE_DIR");
    return override != nullptr ? override : SOURCE_DIR;
}

}  // namespace test
