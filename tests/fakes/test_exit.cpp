// Leaks and ignored refusals fail the process at exit.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "tests/fakes/fixture.h"

using namespace fakes;

namespace {

// Runs `body` in a child process that then exits normally; returns its exit code.
template <class Body>
int exit_code_of(Body body) {
    std::fflush(nullptr);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        if (std::freopen("/dev/null", "w", stderr) == nullptr) std::_Exit(77);
        body();
        std::exit(EXIT_SUCCESS);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("a process that leaks a handle or ignores a refusal fails") {
    CHECK(exit_code_of([] {
              cudnnHandle_t handle = nullptr;
              cudnnCreate(&handle);
              cudnnDestroy(handle);
          }) == EXIT_SUCCESS);
    CHECK(exit_code_of([] {
              static cudnnHandle_t handle = nullptr;
              cudnnCreate(&handle);
          }) == EXIT_FAILURE);
    CHECK(exit_code_of([] {
              cudnnBackendDescriptor_t descriptor = nullptr;
              cudnnBackendCreateDescriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR, &descriptor);
              cudnnBackendFinalize(descriptor);
              cudnnBackendDestroyDescriptor(descriptor);
          }) == EXIT_FAILURE);
}
