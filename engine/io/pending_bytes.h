// Bytes on their way to the end of a file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace residual {

// Keeps the bytes that could not be written, because the disk is full for example, until a later attempt.
class PendingBytes {
  public:
    void add(std::string_view bytes) { bytes_ += bytes; }
    bool empty() const { return bytes_.empty(); }
    // Writes all of them, after those that an earlier call has written. On failure sets errno and returns false.
    bool write_to(int descriptor);
    // The next call starts again with the first byte, because it writes to another file.
    void start_again() { written_ = 0; }

  private:
    std::string bytes_;
    size_t written_ = 0;  // The file already has so many of them.
};

}  // namespace residual
