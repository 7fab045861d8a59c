// Two kinds of error: the user's, with the value, the place and the remedy, and the program's own, with its source
// line.
#pragma once

#include <stdexcept>
#include <string>

namespace residual {

// Something failed while running (exit 1). The message names the value, the place and the remedy.
class Error : public std::runtime_error {
  public:
    explicit Error(const std::string& message) : std::runtime_error(message) {}
};

// Wrong usage, configuration or input (exit 2).
class InputError : public Error {
  public:
    explicit InputError(const std::string& message) : Error(message) {}
};

// The loss is no longer a finite number (exit 3).
class DivergedError : public Error {
  public:
    explicit DivergedError(const std::string& message) : Error(message) {}
};

// A bug of this program: an RESIDUAL_ASSERT that did not hold.
class AssertionError : public std::logic_error {
  public:
    AssertionError(const char* expression, const char* file, int line)
        : std::logic_error(std::string(file) + ":" + std::to_string(line) + ": assertion failed: " + expression) {}
};

}  // namespace residual

// Always on, in Release too: it stands where a wrong result would otherwise go unnoticed.
#define RESIDUAL_ASSERT(...)                                                    \
    do {                                                                        \
        if (!(__VA_ARGS__)) {                                                   \
            throw ::residual::AssertionError(#__VA_ARGS__, __FILE__, __LINE__); \
        }                                                                       \
    } while (false)
