#include "tests/fakes/refusal.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace fakes {
namespace {

std::vector<std::string>& wrong_arguments() {
    static auto* const reasons = new std::vector<std::string>;
    return *reasons;
}

std::vector<std::string (*)()>& exit_checks() {
    static auto* const checks = new std::vector<std::string (*)()>;
    return *checks;
}

std::string unread_wrong_arguments() {
    std::string text;
    for (const std::string& reason : wrong_arguments()) text += "\n  refused, but the status was ignored: " + reason;
    return text;
}

void check_at_exit() {
    std::string text;
    for (const auto check : exit_checks()) text += check();
    if (text.empty()) return;
    std::fprintf(stderr, "fakes of cuDNN and cuBLAS, at exit:%s\n", text.c_str());
    std::fflush(nullptr);
    std::_Exit(EXIT_FAILURE);
}

}  // namespace

std::vector<std::string> take_wrong_arguments() {
    return std::exchange(wrong_arguments(), {});
}

void remember_wrong_argument(const std::string& reason) {
    if (wrong_arguments().empty()) require_at_exit(unread_wrong_arguments);
    wrong_arguments().push_back(reason);
}

void require_at_exit(std::string (*reason)()) {
    if (exit_checks().empty()) std::atexit(check_at_exit);
    for (const auto check : exit_checks()) {
        if (check == reason) return;
    }
    exit_checks().push_back(reason);
}

}  // namespace fakes
