// Checksums of raw bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace residual {

// CRC-32 (ISO 3309, as in zlib and PNG). `previous` continues a checksum: crc32_of(b, crc32_of(a)) is the checksum of
// a followed by b.
uint32_t crc32_of(std::span<const std::byte> bytes, uint32_t previous = 0);

// CRC-32C (Castagnoli, as in iSCSI, RFC 3720, and in TFRecord files).
uint32_t crc32c_of(std::span<const std::byte> bytes);

}  // namespace residual
