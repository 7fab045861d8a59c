#include "tests/emulator/failure.h"

#include <cstdlib>
#include <sstream>
#include <string>

#include "tests/emulator/last_error.h"

namespace emulator {

cudaError_t requested_failure(std::string_view function) {
    static bool lost = false;
    const char* text = std::getenv("EMULATOR_FAILURES");
    lost = lost && text != nullptr;
    if (text == nullptr) return cudaSuccess;
    if (lost) return remember(cudaErrorIllegalAddress);
    std::istringstream failures(text);
    for (std::string failure; std::getline(failures, failure, ',');) {
        const size_t equals = failure.find('=');
        if (failure.substr(0, equals) == function) {
            const auto error = static_cast<cudaError_t>(std::stoi(failure.substr(equals + 1)));
            lost = error == cudaErrorIllegalAddress;
            return remember(error);
        }
    }
    return cudaSuccess;
}

}  // namespace emulator
