// A contiguous array on one device. Copies of a Tensor share its memory.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/core/arena.h"
#include "engine/core/dtype.h"
#include "engine/core/error.h"
#include "engine/core/shape.h"

namespace residual {

class Tensor {
  public:
    Tensor() = default;  // Undefined: has no memory.
    Tensor(const std::shared_ptr<Arena>& arena, const Shape& shape, DType dtype)
        : memory_(arena->allocate(shape.elements() * size_of(dtype)), [arena](void* pointer) { arena->free(pointer); }),
          shape_(shape),
          dtype_(dtype) {}

    bool defined() const { return memory_ != nullptr; }
    const Shape& shape() const { return shape_; }
    DType dtype() const { return dtype_; }
    int64_t elements() const { return shape_.elements(); }
    size_t bytes() const { return elements() * size_of(dtype_); }

    // Device memory. T must match dtype().
    void* data() const { return static_cast<std::byte*>(memory_.get()) + offset_; }
    template <class T>
    T* data() const {
        RESIDUAL_ASSERT(DTypeOf<T>::value == dtype_);
        return static_cast<T*>(data());
    }

    // The `shape.elements()` elements from `first` on; shares this tensor's memory.
    Tensor view(int64_t first, const Shape& shape) const {
        RESIDUAL_ASSERT(first >= 0 && first + shape.elements() <= elements());
        Tensor part = *this;
        part.shape_ = shape;
        part.offset_ += first * size_of(dtype_);
        return part;
    }

    // Whether no other tensor shares the memory, so that it may be overwritten.
    bool unique() const { return memory_.use_count() == 1; }

  private:
    std::shared_ptr<void> memory_;
    size_t offset_ = 0;  // in bytes
    Shape shape_;
    DType dtype_ = DType::kFloat32;
};

}  // namespace residual
