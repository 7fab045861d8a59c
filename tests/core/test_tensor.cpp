// Shapes, tensors, views and errors.
#include "engine/core/tensor.h"

#include <cstdlib>
#include <vector>

#include "engine/backend/backend.h"
#include "tests/catch.h"

using namespace residual;

TEST_CASE("a shape has a rank, extents, an element count and a text form", "[core]") {
    const Shape shape{2, 3, 5, 7};
    CHECK(shape.rank() == 4);
    CHECK(shape[0] == 2);
    CHECK(shape[3] == 7);
    CHECK(shape[-1] == 7);
    CHECK(shape[-4] == 2);
    CHECK(shape.elements() == 210);
    CHECK(shape.to_string() == "[2, 3, 5, 7]");
    CHECK_THROWS_AS(shape[4], AssertionError);
    CHECK_THROWS_AS(shape[-5], AssertionError);

    const Shape scalar;
    CHECK(scalar.rank() == 0);
    CHECK(scalar.elements() == 1);
    CHECK(scalar.to_string() == "[]");
    CHECK(Shape{4, 0, 3}.elements() == 0);
    // Exceeds 32 bits.
    CHECK(Shape{65536, 32, 32, 64}.elements() == int64_t{65536} * 32 * 32 * 64);
}

TEST_CASE("shapes are equal if all their axes are", "[core]") {
    const std::vector<int64_t> extents{2, 3};
    CHECK(Shape{2, 3} == Shape(std::span<const int64_t>(extents)));
    CHECK_FALSE(Shape{2, 3} == Shape{3, 2});
    CHECK_FALSE(Shape{2, 3} == Shape{2, 3, 1});
    CHECK_FALSE(Shape{} == Shape{1});
}

TEST_CASE("a shape has at most four axes and no negative extents", "[core]") {
    CHECK_THROWS_AS((Shape{1, 2, 3, 4, 5}), AssertionError);
    CHECK_THROWS_AS((Shape{2, -1}), AssertionError);
}

TEST_CASE("a tensor has a type and a shape, and copies share its memory", "[core]") {
    const auto backend = make_cpu_backend();
    CHECK_FALSE(Tensor().defined());
    const std::vector<float> values{0, 1, 2, 3, 4, 5};
    const size_t before = backend->arena().bytes_in_use();
    {
        Tensor x = backend->from_host(values.data(), {2, 3});
        CHECK(x.defined());
        CHECK(x.dtype() == DType::kFloat32);
        CHECK(x.bytes() == 24);
        CHECK(x.unique());
        const Tensor y = x;
        CHECK_FALSE(x.unique());
        CHECK(y.data() == x.data());
        x.data<float>()[4] = 40;
        CHECK(y.data<float>()[4] == 40);
        CHECK_THROWS_AS(x.data<int32_t>(), AssertionError);
        CHECK_THROWS_AS(x.data<bfloat16>(), AssertionError);
    }
    CHECK(backend->arena().bytes_in_use() == before);
}

TEST_CASE("a view shares its tensor's memory, and views can be nested", "[core]") {
    const auto backend = make_cpu_backend();
    std::vector<float> values(24);
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    Tensor part;
    {
        const Tensor x = backend->from_host(values.data(), {2, 3, 4});
        part = x.view(4, {5, 4});
        CHECK(part.shape() == Shape{5, 4});
        CHECK(part.data<float>() == x.data<float>() + 4);
        const Tensor inner = part.view(6, {2});
        CHECK(inner.data<float>()[0] == 10);
        inner.data<float>()[1] = -1;
        CHECK(x.data<float>()[11] == -1);
        CHECK_FALSE(x.unique());
        CHECK_NOTHROW(x.view(24, {0}));
        CHECK_THROWS_AS(x.view(20, {5}), AssertionError);
        CHECK_THROWS_AS(x.view(-1, {2}), AssertionError);
        CHECK_THROWS_AS(part.view(0, {21}), AssertionError);
    }
    // The last view keeps the memory alive.
    CHECK(part.unique());
    CHECK(part.data<float>()[0] == 4);
}

TEST_CASE("a tensor may outlive its backend", "[core]") {
    Tensor x;
    {
        const auto backend = make_cpu_backend();
        const std::vector<int32_t> values{3, 1, 4};
        x = backend->from_host(values.data(), {3});
    }
    CHECK(x.data<int32_t>()[2] == 4);
}

TEST_CASE("every type has a size and a name", "[core]") {
    CHECK(size_of(DType::kFloat64) == sizeof(double));
    CHECK(size_of(DType::kFloat32) == sizeof(float));
    CHECK(size_of(DType::kBFloat16) == sizeof(bfloat16));
    CHECK(size_of(DType::kInt64) == sizeof(int64_t));
    CHECK(size_of(DType::kInt32) == sizeof(int32_t));
    CHECK(size_of(DType::kUInt8) == 1);
    CHECK(name_of(DType::kBFloat16) == "bfloat16");
    CHECK(name_of(DType::kFloat32) == "float32");
}

TEST_CASE("RESIDUAL_ASSERT reports the expression and its location in every build", "[core]") {
    const int answer = 41;
    std::string message;
    try {
        RESIDUAL_ASSERT(answer == 42);
    } catch (const AssertionError& error) {
        message = error.what();
    }
    CHECK_THAT(message, ContainsSubstring("assertion failed: answer == 42"));
    CHECK_THAT(message, ContainsSubstring("test_tensor.cpp:"));
    // A comma outside parentheses.
    CHECK_NOTHROW([] { RESIDUAL_ASSERT(std::vector<int>{1, 2}.size() == 2); }());
}

TEST_CASE("a failed assertion is not a user error", "[core]") {
    CHECK_THROWS_AS([] { throw InputError("wrong"); }(), Error);
    CHECK_THROWS_AS([] { throw DivergedError("wrong"); }(), Error);
    bool caught_as_user_error = false;
    try {
        RESIDUAL_ASSERT(false);
    } catch (const std::runtime_error&) {
        caught_as_user_error = true;
    } catch (const std::logic_error&) {
    }
    CHECK_FALSE(caught_as_user_error);
}
