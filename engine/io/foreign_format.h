// Recognises files of other formats, so that a message can say what a file is and how to convert it.
#pragma once

#include <cstddef>
#include <string_view>

namespace residual {

struct ForeignFormat {
    std::string_view name;    // "a PyTorch file"
    std::string_view remedy;  // "convert it with tools/import_weights.py"
};

// How many of a file's first bytes foreign_format() needs.
constexpr size_t kForeignHead = 512;

// `head` is the first kForeignHead bytes of a file, or all of a smaller one. Null if it starts as a safetensors file
// does, or is of no known format.
const ForeignFormat* foreign_format(std::string_view head);

}  // namespace residual
