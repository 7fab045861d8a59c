#include "tools/programs/signals.h"

#include <csignal>
#include <cstdint>
#include <ctime>

namespace residual::tools {

namespace {

constexpr int64_t kNanoseconds = 1'000'000'000;  // per second
constexpr int64_t kSameRequest = kNanoseconds;

Signals signals;
std::atomic<int64_t> first_request = 0;  // The time of the first stopping signal; 0: none yet.
static_assert(std::atomic<int64_t>::is_always_lock_free, "a signal handler must not take a lock");

// Everything below is called by signal handlers, possibly in several threads at once.

// Nanoseconds of a clock that never jumps. std::chrono is not on POSIX's list for signal handlers.
int64_t now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * kNanoseconds + time.tv_nsec;
}

// Returns the nanoseconds since the first request; 0 if this is the first.
int64_t request_stop(int signal) {
    const int64_t time = now();
    int64_t first = 0;
    if (!first_request.compare_exchange_strong(first, time)) return time - first;
    signals.stop = signal;
    return 0;
}

void on_stop(int signal) {
    if (request_stop(signal) <= kSameRequest) return;
    std::signal(signal, SIG_DFL);
    std::raise(signal);  // Delivered when this handler returns.
}

// Linux repeats SIGXCPU after each further second of CPU time, so that a repetition is not a new request.
void on_cpu_limit(int signal) {
    request_stop(signal);
}

void on_save(int) {
    signals.save = 1;
}

struct Handling {
    int signal;
    void (*handler)(int);
    // Whether a process that was started with this signal ignored keeps ignoring it. The other signals are handled even
    // then: a batch script that ignores one to outlive it passes that on to the programs it starts.
    bool may_stay_ignored;
};

constexpr Handling kSignals[] = {
    {SIGHUP, on_stop, true},         // The terminal or connection was closed; ignored by nohup.
    {SIGINT, on_stop, true},         // Ctrl-C; ignored in background processes of a script.
    {SIGTERM, on_stop, false},       // kill, timeout, a shutdown, most batch schedulers.
    {SIGUSR2, on_stop, false},       // LSF at its run limit, Grid Engine before SIGKILL.
    {SIGXCPU, on_cpu_limit, false},  // The soft limit on CPU time.
    {SIGUSR1, on_save, false},
};

}  // namespace

Signals& handle_signals() {
    for (const Handling& handling : kSignals) {
        struct sigaction action {};
        sigaction(handling.signal, nullptr, &action);
        if (handling.may_stay_ignored && action.sa_handler == SIG_IGN) continue;
        action = {};
        action.sa_handler = handling.handler;
        action.sa_flags = SA_RESTART;
        sigaction(handling.signal, &action, nullptr);
    }
    return signals;
}

}  // namespace residual::tools
