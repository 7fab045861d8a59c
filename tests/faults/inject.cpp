// Preloaded into a program (LD_PRELOAD), makes one system call on the files of one folder fail.
//
//     FAULT_FOLDER  absolute path; calls on this folder and its files are counted
//     FAULT_LOG     receives the key of each counted call, one per line
//     FAULT_AT      key of the call that fails: "<function> <file>#<n>", the n-th call (from 1) of that function on
//                   that file; numbers in names of temporary and event files are left out. "<function> <file>" is every
//                   call of the function on the file, "<function>" every call in the folder
//     FAULT_KIND    kill    SIGKILL before the call
//                   half    half of the bytes are written, then SIGKILL
//                   eio     the call fails once, as on a broken disk
//                   enospc  the call and every later one that needs space fail
//                   erofs   the call and every later one that changes anything fail
//                   eperm   the call fails once, like symlink() on a file system without links
//                   stall   the call takes five seconds
//                   95      (a number) the call fails with this errno value
//     FAULT_FREE    bytes that statvfs() reports as free
//
// Keys do not depend on the order of threads: a key names the same call in every run.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <regex>
#include <string>
#include <thread>

namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

template <class Function>
Function* real(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

struct State {
    const std::string folder = environment("FAULT_FOLDER"), log = environment("FAULT_LOG"),
                      at = environment("FAULT_AT"), kind = environment("FAULT_KIND");
    std::mutex mutex;
    std::map<int, std::string> names;  // of the open descriptors in the folder
    std::map<std::string, int> counts;
    bool lasting = false;  // a lasting fault has begun
};

State& state() {
    static State& all = *new State;  // Never destroyed: calls after main() are counted too.
    return all;
}

// "<folder>/step-1.tmp-123-0" -> "step-1.tmp"
// "<folder>/events.out.tfevents.123" -> "events"
// "<folder>" -> "."
// "" outside the folder
std::string name_of(const char* path) {
    const std::string& folder = state().folder;
    std::string name = path;
    if (folder.empty() || name.compare(0, folder.size(), folder) != 0) return "";
    name.erase(0, folder.size());
    if (name.empty() || name == "/" || name == "/..") return ".";
    if (name.front() != '/') return "";
    static const std::regex numbers("\\.tmp-[0-9]+-[0-9]+$"), events("^events\\.out\\.tfevents\\.[0-9]+$");
    return std::regex_replace(std::regex_replace(name.substr(1), numbers, ".tmp"), events, "events");
}

enum class Effect { kReads, kChanges, kNeedsSpace };

struct Verdict {
    int error = 0;  // 0: make the call
    bool half = false;
};

Verdict judge(const char* function, const std::string& name, Effect effect) {
    if (name.empty()) return {};
    State& all = state();
    const std::lock_guard lock(all.mutex);
    const std::string place = function + (" " + name);
    const std::string key = place + "#" + std::to_string(++all.counts[place]);
    if (!all.log.empty()) {
        const int descriptor =
            real<int(const char*, int, ...)>("open")(all.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
        const std::string line = key + "\n";
        if (real<ssize_t(int, const void*, size_t)>("write")(descriptor, line.data(), line.size()) < 0) abort();
        real<int(int)>("close")(descriptor);
    }
    const bool here = all.at == key || all.at == place || all.at == function;
    if (here && std::isdigit(all.kind[0]) != 0) return {std::atoi(all.kind.c_str())};
    if (here && all.kind == "kill") raise(SIGKILL);
    if (here && all.kind == "half") return {0, true};
    if (here && all.kind == "eio") return {EIO};
    if (here && all.kind == "eperm") return {EPERM};
    if (here && all.kind == "stall") std::this_thread::sleep_for(std::chrono::seconds(5));  // goes on after signals
    all.lasting |= here && (all.kind == "enospc" || all.kind == "erofs");
    if (all.lasting && all.kind == "enospc" && effect == Effect::kNeedsSpace) return {ENOSPC};
    if (all.lasting && all.kind == "erofs" && effect != Effect::kReads) return {EROFS};
    return {};
}

std::string name_of(int descriptor) {
    const std::lock_guard lock(state().mutex);
    const auto found = state().names.find(descriptor);
    return found == state().names.end() ? "" : found->second;
}

void remember(int descriptor, const std::string& name) {
    if (descriptor < 0 || name.empty()) return;
    const std::lock_guard lock(state().mutex);
    state().names[descriptor] = name;
}

int fails(int error) {
    errno = error;
    return -1;
}

int open_judged(const char* function, const char* path, int flags, mode_t mode) {
    const std::string name = name_of(path);
    const Effect effect = (flags & O_CREAT) != 0            ? Effect::kNeedsSpace
                          : (flags & O_ACCMODE) == O_RDONLY ? Effect::kReads
                                                            : Effect::kChanges;
    if (const Verdict verdict = judge("open", name, effect); verdict.error != 0) return fails(verdict.error);
    const int descriptor = real<int(const char*, int, ...)>(function)(path, flags, mode);
    remember(descriptor, name);
    return descriptor;
}

mode_t mode_in(int flags, va_list arguments) {
    return (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = mode_in(flags, arguments);
    va_end(arguments);
    return open_judged("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = mode_in(flags, arguments);
    va_end(arguments);
    return open_judged("open64", path, flags, mode);
}

FILE* fopen64(const char* path, const char* mode) {
    const std::string name = name_of(path);
    if (const Verdict verdict = judge("open", name, mode[0] == 'r' ? Effect::kReads : Effect::kNeedsSpace);
        verdict.error != 0) {
        errno = verdict.error;
        return nullptr;
    }
    FILE* file = real<FILE*(const char*, const char*)>("fopen64")(path, mode);
    if (file != nullptr) remember(fileno(file), name);
    return file;
}

FILE* fopen(const char* path, const char* mode) {
    return fopen64(path, mode);
}

ssize_t read(int descriptor, void* to, size_t bytes) {
    if (const Verdict verdict = judge("read", name_of(descriptor), Effect::kReads); verdict.error != 0)
        return fails(verdict.error);
    return real<ssize_t(int, void*, size_t)>("read")(descriptor, to, bytes);
}

ssize_t write(int descriptor, const void* from, size_t bytes) {
    const auto next = real<ssize_t(int, const void*, size_t)>("write");
    const Verdict verdict = judge("write", name_of(descriptor), Effect::kNeedsSpace);
    if (verdict.error != 0) return fails(verdict.error);
    if (verdict.half) {
        if (next(descriptor, from, bytes / 2) < 0) abort();
        raise(SIGKILL);
    }
    return next(descriptor, from, bytes);
}

int fsync(int descriptor) {
    if (const Verdict verdict = judge("fsync", name_of(descriptor), Effect::kNeedsSpace); verdict.error != 0)
        return fails(verdict.error);
    return real<int(int)>("fsync")(descriptor);
}

int fdatasync(int descriptor) {
    if (const Verdict verdict = judge("fdatasync", name_of(descriptor), Effect::kNeedsSpace); verdict.error != 0)
        return fails(verdict.error);
    return real<int(int)>("fdatasync")(descriptor);
}

int flock(int descriptor, int operation) {
    if (const Verdict verdict = judge("flock", name_of(descriptor), Effect::kReads); verdict.error != 0)
        return fails(verdict.error);
    return real<int(int, int)>("flock")(descriptor, operation);
}

int statvfs(const char* path, struct statvfs* result) {
    const int status = real<int(const char*, struct statvfs*)>("statvfs")(path, result);
    if (const std::string bytes = environment("FAULT_FREE"); !bytes.empty() && !name_of(path).empty()) {
        result->f_bavail = std::stoull(bytes) / result->f_frsize;
    }
    return status;
}

int close(int descriptor) {
    const Verdict verdict = judge("close", name_of(descriptor), Effect::kReads);
    {
        const std::lock_guard lock(state().mutex);
        state().names.erase(descriptor);
    }
    // As on Linux, the descriptor is closed even if close() fails.
    const int status = real<int(int)>("close")(descriptor);
    return verdict.error != 0 ? fails(verdict.error) : status;
}

int rename(const char* from, const char* to) {
    if (const Verdict verdict = judge("rename", name_of(to), Effect::kNeedsSpace); verdict.error != 0)
        return fails(verdict.error);
    return real<int(const char*, const char*)>("rename")(from, to);
}

int symlink(const char* target, const char* path) {
    if (const Verdict verdict = judge("symlink", name_of(path), Effect::kNeedsSpace); verdict.error != 0)
        return fails(verdict.error);
    return real<int(const char*, const char*)>("symlink")(target, path);
}

int unlink(const char* path) {
    if (const Verdict verdict = judge("unlink", name_of(path), Effect::kChanges); verdict.error != 0)
        return fails(verdict.error);
    return real<int(const char*)>("unlink")(path);
}

int mkdir(const char* path, mode_t mode) {
    if (const Verdict verdict = judge("mkdir", name_of(path), Effect::kNeedsSpace); verdict.error != 0)
        return fails(verdict.error);
    return real<int(const char*, mode_t)>("mkdir")(path, mode);
}

}  // extern "C"
