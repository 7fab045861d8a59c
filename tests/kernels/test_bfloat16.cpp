#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/bfloat16.h"
#include "tests/catch.h"

using residual::kernels::bfloat16;

TEST_CASE("bfloat16 survives the round trip through float", "[kernels][bfloat16]") {
    int wrong = 0;
    for (uint32_t word = 0; word <= 0xffff; ++word) {
        bfloat16 value;
        value.bits = static_cast<uint16_t>(word);
        const float wide = static_cast<float>(value);
        if (std::isnan(wide)) {
            wrong += std::isnan(static_cast<float>(bfloat16(wide))) ? 0 : 1;
        } else {
            wrong += bfloat16(wide).bits == word ? 0 : 1;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("bfloat16 rounds to nearest, ties to even", "[kernels][bfloat16]") {
    struct Case {
        uint32_t input;
        uint16_t expected;
    };
    const Case cases[] = {
        {0x3f800000, 0x3f80},  // 1
        {0x3f807fff, 0x3f80},  // just under the middle
        {0x3f808000, 0x3f80},  // the middle, even below
        {0x3f808001, 0x3f81},  // just over the middle
        {0x3f818000, 0x3f82},  // the middle, even above
        {0xbf818000, 0xbf82},  // the previous case, negative
        {0x3fffffff, 0x4000},  // carries into the exponent
        {0x7f7fffff, 0x7f80},  // the largest float rounds to infinity
        {0x00000001, 0x0000},  // the smallest subnormal
        {0x80000000, 0x8000},  // -0
        {0x7f800000, 0x7f80},  // infinity
        {0xff800000, 0xff80},
    };
    for (const Case& test : cases) {
        CAPTURE(test.input);
        CHECK(bfloat16(std::bit_cast<float>(test.input)).bits == test.expected);
    }
}

TEST_CASE("A NaN with any payload becomes a quiet NaN in bfloat16", "[kernels][bfloat16]") {
    for (const uint32_t word : {0x7f800001u, 0x7fffffffu, 0xffc00000u, 0xff800001u, 0x7fff8000u}) {
        CAPTURE(word);
        const uint16_t bits = bfloat16(std::bit_cast<float>(word)).bits;
        CHECK((bits & 0x7fc0) == 0x7fc0);
        CHECK((bits >> 15) == (word >> 31));
    }
}
