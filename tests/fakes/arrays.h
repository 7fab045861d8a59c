// Reading and writing arrays in device memory. The fakes compute in float32, whatever the storage type.
#pragma once

#include <cstddef>
#include <vector>

namespace fakes {

// result = alpha * computed + beta * previous; with beta = 0 the previous content is not read.
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

// Rounds as tensor cores do with float32 operands: 10 bits of mantissa, ties away from zero.
void round_to_tf32(std::vector<float>& values);

void round_to_bfloat16(std::vector<float>& values);

// A caller must not rely on the content of a workspace.
void fill_with_garbage(void* workspace, size_t bytes);

}  // namespace fakes
