#include "engine/core/shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "engine/core/error.h"

namespace residual {

Shape::Shape(std::initializer_list<int64_t> extents) : Shape(std::span(extents.begin(), extents.size())) {}

Shape::Shape(std::span<const int64_t> extents) : rank_(static_cast<int>(extents.size())) {
    RESIDUAL_ASSERT(extents.size() <= kMaxRank);
    RESIDUAL_ASSERT(std::all_of(extents.begin(), extents.end(), [](int64_t extent) { return extent >= 0; }));
    std::copy(extents.begin(), extents.end(), extents_.begin());
}

int64_t Shape::operator[](int axis) const {
    if (axis < 0) axis += rank_;
    RESIDUAL_ASSERT(axis >= 0 && axis < rank_);
    return extents_[axis];
}

int64_t Shape::elements() const {
    const auto all = extents();
    return std::accumulate(all.begin(), all.end(), int64_t{1}, std::multiplies<>());
}

std::string Shape::to_string() const {
    return fmt::format("[{}]", fmt::join(extents(), ", "));
}

}  // namespace residual
