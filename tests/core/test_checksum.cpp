#include "engine/core/checksum.h"

#include <string>

#include "tests/catch.h"

namespace {

uint32_t crc32c(const std::string& text) {
    return residual::crc32c_of(std::as_bytes(std::span(text)));
}

}  // namespace

TEST_CASE("CRC-32C has the values of RFC 3720, appendix B.4", "[core]") {
    std::string ascending, descending;
    for (int i = 0; i < 32; ++i) {
        ascending += static_cast<char>(i);
        descending += static_cast<char>(31 - i);
    }
    CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
    CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
    CHECK(crc32c(ascending) == 0x46dd794e);
    CHECK(crc32c(descending) == 0x113fdb5c);
    CHECK(crc32c("123456789") == 0xe3069283);
    CHECK(crc32c("") == 0);
}
