// How a fake refuses a call. If the real library would return an error status, the fake returns the same status and
// stores the reason for the library's error string. If the real library would not notice the error, and crash or
// compute garbage, the fake throws Misuse.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace fakes {

class Misuse : public std::logic_error {
  public:
    explicit Misuse(const std::string& what) : std::logic_error("misuse of a CUDA library: " + what) {}
};

// Thrown by a check; the called library function turns it into its status.
template <class Status>
struct Refusal {
    Status status;
    std::string reason;
};

// The reasons of all calls refused for wrong arguments since the last take, oldest first, not counting algorithms that
// are not supported. The engine reacts to a refusal by trying another algorithm, which could hide a wrong argument: a
// process that exits with reasons not taken fails.
std::vector<std::string> take_wrong_arguments();
void remember_wrong_argument(const std::string& reason);

// At exit, fails the process and prints `reason()` unless it is empty.
void require_at_exit(std::string (*reason)());

}  // namespace fakes
