#include "engine/core/checksum.h"

#include <zlib.h>

#include <array>

namespace residual {

namespace {

constexpr std::array<uint32_t, 256> castagnoli_table() {
    constexpr uint32_t kPolynomial = 0x82f63b78;  // Bits reversed.
    std::array<uint32_t, 256> table{};
    for (uint32_t byte = 0; byte < 256; ++byte) {
        uint32_t remainder = byte;
        for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1 ^ (remainder & 1 ? kPolynomial : 0);
        table[byte] = remainder;
    }
    return table;
}

}  // namespace

uint32_t crc32_of(std::span<const std::byte> bytes, uint32_t previous) {
    return static_cast<uint32_t>(crc32_z(previous, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

uint32_t crc32c_of(std::span<const std::byte> bytes) {
    static constexpr std::array<uint32_t, 256> kTable = castagnoli_table();
    uint32_t remainder = ~uint32_t{0};
    for (const std::byte byte : bytes) {
        remainder = kTable[(remainder ^ std::to_integer<uint32_t>(byte)) & 0xff] ^ remainder >> 8;
    }
    return ~remainder;
}

}  // namespace residual
