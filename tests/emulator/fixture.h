// Helpers for the emulator's tests: arrays on the emulated device, scoped environment variables, and a child process
// for faults that abort the program.
#pragma once

#include <cuda_runtime.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/cuda/launch.h"
#include "tests/catch.h"
#include "tests/emulator/fault.h"
#include "tests/emulator/stream.h"

namespace emulator_test {

// Sets an environment variable for the lifetime of the object.
class ScopedEnvironment {
  public:
    ScopedEnvironment(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
    ~ScopedEnvironment() { unsetenv(name_); }
    ScopedEnvironment(const ScopedEnvironment&) = delete;
    ScopedEnvironment& operator=(const ScopedEnvironment&) = delete;

  private:
    const char* name_;
};

template <class T>
class Array {
  public:
    explicit Array(size_t n) : size_(n) {
        REQUIRE(cudaMalloc(reinterpret_cast<void**>(&data_), n * sizeof(T)) == cudaSuccess);
    }
    explicit Array(const std::vector<T>& values) : Array(values.size()) { write(values); }
    ~Array() { cudaFree(data_); }
    Array(const Array&) = delete;
    Array& operator=(const Array&) = delete;

    T* data() const { return data_; }
    void write(const std::vector<T>& values) const {
        REQUIRE(cudaMemcpy(data_, values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice) == cudaSuccess);
    }
    std::vector<T> read() const {
        std::vector<T> values(size_);
        REQUIRE(cudaMemcpy(values.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost) == cudaSuccess);
        return values;
    }

  private:
    T* data_ = nullptr;
    size_t size_;
};

// The message of the Fault that `work` throws; "" if it throws none.
template <class Work>
std::string fault_of(Work work) {
    try {
        work();
    } catch (const emulator::Fault& fault) {
        return fault.what();
    }
    return "";
}

// Runs `work` in a child process. Returns what the child wrote to stderr if it failed, "" if it exited with status 0.
template <class Work>
std::string crash_output_of(Work work) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        work();
        _exit(0);
    }
    close(ends[1]);
    std::string output;
    char buffer[4096];
    for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;) output.append(buffer, static_cast<size_t>(n));
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    const bool succeeded = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return succeeded ? "" : output + " (child failed)";
}

}  // namespace emulator_test
