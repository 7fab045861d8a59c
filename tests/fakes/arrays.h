// Arrays in device memory as the loops of the stand-ins see them: float32, whatever they are stored as.
#pragma once

#include <cstddef>
#include <vector>

namespace fakes {

// result = alpha * computed + beta * what it held; with beta = 0 that is not read and may be anything.
struct Blend {
    float alpha;
    float beta;
};

enum class Storage { kFloat32, kBFloat16 };

constexpr size_t bytes_of(Storage storage) {
    return storage == Storage::kFloat32 ? 4 : 2;
}

std::vector<float> read_array(const void* pointer, Storage storage, size_t count);
void write_array(void* pointer, Storage storage, const std::vector<float>& values, const Blend& blend);

// As matrix units take float32: 10 bits of mantissa, ties away from zero.
void round_to_tf32(std::vector<float>& values);

// What a library leaves in its workspace is of no use to anybody, nor what it finds there.
void fill_with_garbage(void* workspace, size_t bytes);

}  // namespace fakes
