// Standard input, output and error, whatever the program's caller made of them.
#pragma once

#include <string>

namespace residual::tools {

// Opens those that the caller has closed, so that no file of the program's gets their numbers, and lets a pipe that
// nobody reads be an error of the write instead of the program's end. What is closed stays unusable: reading or writing
// there fails.
void prepare_standard_streams();

// Writes out what standard output still holds. The system's reason if that failed, or any write before it; else empty.
std::string output_error();

// One line "program: message" on standard error. What strangers' files put into a message does not reach the terminal
// as control characters, nor at any length.
void print_error(const std::string& program, const std::string& message);

}  // namespace residual::tools
