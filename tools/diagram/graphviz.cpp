#include "tools/diagram/graphviz.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "engine/core/error.h"

extern char** environ;

namespace residual::tools {

namespace {

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// Removed when it is closed.
File temporary_file() {
    File file(std::tmpfile());
    if (!file) throw Error(fmt::format("cannot make a temporary file: {}", std::strerror(errno)));
    return file;
}

// Runs dot with these files as standard input and output. Returns its status as of waitpid().
int run(const std::string& format, std::FILE* input, std::FILE* output) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(input), 0);
    posix_spawn_file_actions_adddup2(&actions, fileno(output), 1);
    std::string program = "dot", option = "-T" + format;
    char* arguments[] = {program.data(), option.data(), nullptr};
    pid_t process = 0;
    const int failure = posix_spawnp(&process, program.c_str(), &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure == ENOENT) {
        throw InputError(
            "the program dot of Graphviz is not installed: install the package graphviz, or write the graph itself "
            "with -o FILE.dot");
    }
    if (failure != 0) throw Error(fmt::format("cannot run dot: {}", std::strerror(failure)));
    int status = 0;
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

}  // namespace

std::string run_dot(const std::string& text, const std::string& format) {
    const File input = temporary_file(), output = temporary_file();
    if (std::fwrite(text.data(), 1, text.size(), input.get()) != text.size() || std::fflush(input.get()) != 0) {
        throw Error(fmt::format("cannot write a temporary file: {}", std::strerror(errno)));
    }
    std::rewind(input.get());
    if (const int status = run(format, input.get(), output.get()); !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        throw Error(WIFEXITED(status) ? fmt::format("dot failed with exit status {}", WEXITSTATUS(status))
                                      : fmt::format("dot was killed by signal {}", WTERMSIG(status)));
    }
    std::string drawing;
    char piece[65536];
    std::rewind(output.get());
    while (const size_t count = std::fread(piece, 1, sizeof piece, output.get())) drawing.append(piece, count);
    if (std::ferror(output.get()) != 0)
        throw Error(fmt::format("cannot read what dot wrote: {}", std::strerror(errno)));
    return drawing;
}

}  // namespace residual::tools
