// Standard input, output and error, which the caller may have closed.
#pragma once

#include <string>

namespace residual::tools {

// Reserves the descriptors of closed streams, so that no other file gets their numbers; reading or writing them still
// fails. Ignores SIGPIPE and SIGXFSZ: writing to a pipe without a reader, or beyond the limit on the size of files,
// becomes an error of the write.
void prepare_standard_streams();

// Flushes standard output. Returns the system's reason if that or an earlier write failed, else "".
std::string output_error();

// `text` with its control characters, except line breaks, escaped: "\x1b".
std::string printable(const std::string& text);

// Prints "program: message" to standard error. Untrusted input in a message may contain control characters, which are
// escaped, and may be long, so that the message is truncated.
void print_error(const std::string& program, const std::string& message);

}  // namespace residual::tools
