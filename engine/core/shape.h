// The extents of a tensor, outermost first: NHWC for activations, [out, kh, kw, in] for convolution weights.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace residual {

class Shape {
  public:
    static constexpr int kMaxRank = 4;

    Shape() = default;  // Rank 0: one element.
    Shape(std::initializer_list<int64_t> extents);
    explicit Shape(std::span<const int64_t> extents);

    int rank() const { return rank_; }
    // Negative axes count from the end.
    int64_t operator[](int axis) const;
    int64_t elements() const;
    std::span<const int64_t> extents() const { return {extents_.data(), static_cast<size_t>(rank_)}; }
    // "[128, 32, 32, 16]"
    std::string to_string() const;

    bool operator==(const Shape&) const = default;

  private:
    std::array<int64_t, kMaxRank> extents_{};
    int rank_ = 0;
};

}  // namespace residual
