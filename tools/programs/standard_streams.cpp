#include "tools/programs/standard_streams.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>

namespace residual::tools {

namespace {

constexpr size_t kLongestMessage = 2000;

bool continues_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// A long message without its middle.
std::string shortened(const std::string& message) {
    if (message.size() <= kLongestMessage) return message;
    size_t head = kLongestMessage / 2, tail = message.size() - kLongestMessage / 2;
    while (head > 0 && continues_character(message[head])) --head;
    while (tail < message.size() && continues_character(message[tail])) ++tail;
    return message.substr(0, head) + " ... " + message.substr(tail);
}

}  // namespace

void prepare_standard_streams() {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
        // open() returns the lowest free descriptor, which is this one. The wrong mode makes its use fail.
        if (open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
    }
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
}

std::string output_error() {
    const bool failed_before = std::ferror(stdout) != 0;
    errno = 0;
    if (std::fflush(stdout) == 0 && !failed_before) return "";
    return errno != 0 ? std::system_category().message(errno) : "a write failed";
}

std::string printable(const std::string& message) {
    std::string text;
    for (const char byte : message) {
        const auto code = static_cast<unsigned char>(byte);
        if ((code < 0x20 && byte != '\n') || code == 0x7F) {
            text += fmt::format("\\x{:02x}", code);
        } else {
            text += byte;
        }
    }
    return text;
}

void print_error(const std::string& program, const std::string& message) {
    std::fprintf(stderr, "%s: %s\n", program.c_str(), printable(shortened(message)).c_str());
}

}  // namespace residual::tools
