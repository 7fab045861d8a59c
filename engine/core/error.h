// Error and its subclasses report what a user can act on; AssertionError reports a bug in the program.
#pragma once

#include <stdexcept>
#include <string>

namespace residual {

// A failure at run time (exit 1). The message says what is wrong, where, and what to do.
class Error : public std::runtime_error {
  public:
    explicit Error(const std::string& message) : std::runtime_error(message) {}
};

// Invalid usage, configuration or input (exit 2).
class InputError : public Error {
  public:
    explicit InputError(const std::string& message) : Error(message) {}
};

// The loss, a gradient, a weight or a running statistic is not finite (exit 3).
class DivergedError : public Error {
  public:
    explicit DivergedError(const std::string& message) : Error(message) {}
};

// The host or the device is out of memory (exit 1). `details`: what was requested, what is free, and how to free more.
class OutOfMemoryError : public Error {
  public:
    explicit OutOfMemoryError(const std::string& details) : Error("out of memory: " + details), details_(details) {}
    const std::string& details() const { return details_; }

  private:
    std::string details_;
};

// A failed RESIDUAL_ASSERT.
class AssertionError : public std::logic_error {
  public:
    AssertionError(const char* expression, const char* file, int line)
        : std::logic_error(std::string(file) + ":" + std::to_string(line) + ": assertion failed: " + expression) {}
};

}  // namespace residual

// Assertions are enabled in every build type, to guard against wrong results that would otherwise go unnoticed.
#define RESIDUAL_ASSERT(...)                                                    \
    do {                                                                        \
        if (!(__VA_ARGS__)) {                                                   \
            throw ::residual::AssertionError(#__VA_ARGS__, __FILE__, __LINE__); \
        }                                                                       \
    } while (false)
