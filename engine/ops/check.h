// Checks of operands. Messages name the operation, the operand and the offending value.
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "engine/autograd/variable.h"

namespace residual::ops {

[[noreturn]] inline void shape_error(std::string_view op, const std::string& message) {
    throw Error(fmt::format("[{}] {}", op, message));
}

inline void check_rank(std::string_view op, std::string_view operand, const Shape& shape, int rank) {
    if (shape.rank() != rank) {
        shape_error(op, fmt::format("{} must have {} axes, but its shape is {}", operand, rank, shape.to_string()));
    }
}

inline void check_shape(std::string_view op, std::string_view operand, const Shape& shape, const Shape& expected) {
    if (shape != expected) {
        shape_error(op, fmt::format("{} must have the shape {}, but it has {}", operand, expected.to_string(),
                                    shape.to_string()));
    }
}

inline void check_dtype(std::string_view op, std::string_view operand, DType dtype, DType expected) {
    if (dtype != expected) {
        shape_error(op, fmt::format("{} must be {}, but it is {}", operand, name_of(expected), name_of(dtype)));
    }
}

}  // namespace residual::ops
