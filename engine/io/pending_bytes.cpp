#include "engine/io/pending_bytes.h"

#include <unistd.h>

#include <cerrno>

namespace residual {

bool PendingBytes::write_to(int descriptor) {
    while (written_ < bytes_.size()) {
        const ssize_t written = ::write(descriptor, bytes_.data() + written_, bytes_.size() - written_);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        written_ += static_cast<size_t>(written);
    }
    bytes_.clear();
    written_ = 0;
    return true;
}

}  // namespace residual
