#include "tests/fakes/arrays.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace fakes {
namespace {

// bfloat16 is the upper half of a float32; ties go to even.
uint16_t bfloat16_bits(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    if (value != value) return static_cast<uint16_t>(bits >> 16 | 0x40);
    return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float float_of_bfloat16(uint16_t bits) {
    return std::bit_cast<float>(uint32_t{bits} << 16);
}

}  // namespace

std::vector<float> read_array(const void* pointer, Storage storage, size_t count) {
    std::vector<float> values(count);
    if (storage == Storage::kFloat32) {
        std::memcpy(values.data(), pointer, count * sizeof(float));
    } else {
        std::vector<uint16_t> bits(count);
        std::memcpy(bits.data(), pointer, count * sizeof(uint16_t));
        for (size_t i = 0; i < count; ++i) values[i] = float_of_bfloat16(bits[i]);
    }
    return values;
}

void write_array(void* pointer, Storage storage, const std::vector<float>& values, const Blend& blend) {
    const size_t count = values.size();
    std::vector<float> result(count);
    for (size_t i = 0; i < count; ++i) result[i] = blend.alpha * values[i];
    if (blend.beta != 0) {
        const std::vector<float> old = read_array(pointer, storage, count);
        for (size_t i = 0; i < count; ++i) result[i] += blend.beta * old[i];
    }
    if (storage == Storage::kFloat32) {
        std::memcpy(pointer, result.data(), count * sizeof(float));
    } else {
        std::vector<uint16_t> bits(count);
        for (size_t i = 0; i < count; ++i) bits[i] = bfloat16_bits(result[i]);
        std::memcpy(pointer, bits.data(), count * sizeof(uint16_t));
    }
}

void round_to_tf32(std::vector<float>& values) {
    for (float& value : values) {
        if (value != value) continue;
        value = std::bit_cast<float>((std::bit_cast<uint32_t>(value) + 0x1000) & ~uint32_t{0x1fff});
    }
}

void round_to_bfloat16(std::vector<float>& values) {
    for (float& value : values) value = float_of_bfloat16(bfloat16_bits(value));
}

void fill_with_garbage(void* workspace, size_t bytes) {
    std::memset(workspace, 0xa5, bytes);
}

}  // namespace fakes
