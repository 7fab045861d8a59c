// A contiguous array on one device. Copying a Tensor shares its memory, as copying a pointer would.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/core/arena.h"
#include "engine/core/device.h"
#include "engine/core/dtype.h"
#include "engine/core/error.h"
#include "engine/core/shape.h"

namespace residual {

// One piece of an arena, given back when its last tensor goes.
class Storage {
  public:
    Storage(std::shared_ptr<Arena> arena, size_t bytes)
        : arena_(std::move(arena)), pointer_(arena_->allocate(bytes)), bytes_(bytes) {}
    ~Storage() { arena_->free(pointer_); }
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    void* pointer() const { return pointer_; }
    size_t bytes() const { return bytes_; }

  private:
    std::shared_ptr<Arena> arena_;
    void* pointer_;
    size_t bytes_;
};

class Tensor {
  public:
    Tensor() = default;  // No memory: defined() is false.
    Tensor(std::shared_ptr<Arena> arena, const Shape& shape, DType dtype)
        : storage_(std::make_shared<Storage>(std::move(arena), shape.elements() * size_of(dtype))),
          shape_(shape),
          dtype_(dtype) {}

    bool defined() const { return storage_ != nullptr; }
    const Shape& shape() const { return shape_; }
    DType dtype() const { return dtype_; }
    int64_t elements() const { return shape_.elements(); }
    size_t bytes() const { return elements() * size_of(dtype_); }

    void* data() const { return static_cast<std::byte*>(storage_->pointer()) + offset_; }
    // The elements; T must be the tensor's own type. The pointer is of the tensor's device.
    template <class T>
    T* data() const {
        RESIDUAL_ASSERT(DTypeOf<T>::value == dtype_);
        return static_cast<T*>(data());
    }

    // `shape.elements()` elements from element `first` on, sharing this tensor's memory.
    Tensor view(int64_t first, const Shape& shape) const {
        RESIDUAL_ASSERT(first >= 0 && first + shape.elements() <= elements());
        Tensor part = *this;
        part.shape_ = shape;
        part.offset_ += first * size_of(dtype_);
        return part;
    }

    // Whether nobody else shares the memory, so that it may be overwritten.
    bool unique() const { return storage_.use_count() == 1; }

  private:
    std::shared_ptr<Storage> storage_;
    size_t offset_ = 0;
    Shape shape_;
    DType dtype_ = DType::kFloat32;
};

}  // namespace residual
