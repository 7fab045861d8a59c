#include "tools/report/command.h"

#include <algorithm>
#include <string_view>

namespace residual::tools {
namespace {

bool is_plain(char c) {
    constexpr std::string_view kPlain = "_-./=:,+@%";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kPlain.find(c) != std::string_view::npos;
}

std::string quoted(const std::string& argument) {
    if (!argument.empty() && std::ranges::all_of(argument, is_plain)) return argument;
    std::string out = "'";
    for (const char c : argument) out += c == '\'' ? "'\\''" : std::string(1, c);
    return out + "'";
}

}  // namespace

std::string command_line(const std::vector<std::string>& arguments) {
    std::string line;
    for (const std::string& argument : arguments) line += (line.empty() ? "" : " ") + quoted(argument);
    return line;
}

}  // namespace residual::tools
