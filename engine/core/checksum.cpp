#include "engine/core/checksum.h"

#include <zlib.h>

namespace residual {

uint32_t crc32_of(std::span<const std::byte> bytes, uint32_t previous) {
    return static_cast<uint32_t>(crc32_z(previous, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace residual
