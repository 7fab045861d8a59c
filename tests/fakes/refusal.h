// How a stand-in says no. What the real library answers with a status is refused with that status, and the reason is
// kept for the library's own error string. What the real library would not notice, and answer with a crash or with
// garbage, throws Misuse.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace fakes {

class Misuse : public std::logic_error {
  public:
    explicit Misuse(const std::string& what) : std::logic_error("misuse of a CUDA library: " + what) {}
};

// Thrown by a check and turned into the status by the function that the caller called.
template <class Status>
struct Refusal {
    Status status;
    std::string reason;
};

// The reasons of all calls refused for wrong arguments since the last time, oldest first; calls refused because the
// library has no such algorithm are not among them. The engine answers a refusal with another algorithm, so that a
// wrong argument might go unnoticed: reasons that nobody has taken when the process ends make it fail.
std::vector<std::string> take_wrong_arguments();
void remember_wrong_argument(const std::string& reason);

// Fails the process at its end, saying why, unless `reason()` is empty then.
void require_at_exit(std::string (*reason)());

}  // namespace fakes
