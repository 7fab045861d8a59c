#include "tools/bench/kernel_bench/environment.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace residual::bench {

namespace {

std::string processor_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        const size_t colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
    }
    return "unknown processor";
}

// As one word of a POSIX shell.
std::string quoted(const std::string& text) {
    std::string result = "'";
    for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
}

}  // namespace

std::string machine_text() {
    utsname names{};
    uname(&names);
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return fmt::format("{} {}, {}, {} processor{}", names.sysname, names.machine, processor_name(), processors,
                       processors == 1 ? "" : "s");
}

std::string commit_text() {
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    if (error) return "";
    const std::string command = "git -C " + quoted(program.parent_path().string()) +
                                " describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null";
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return "";
    std::string text;
    for (int c = std::fgetc(pipe); c != EOF && c != '\n'; c = std::fgetc(pipe)) text += static_cast<char>(c);
    return pclose(pipe) == 0 ? text : "";
}

}  // namespace residual::bench
