// The fake of cuDNN's graph API: what it computes and which errors it detects.
#include "tests/fakes/cudnn_engines.h"
#include "tests/fakes/graph_fixture.h"

using namespace fakes;

TEST_CASE("a convolution pads before and after as its descriptor says") {
    for (const int64_t engine : {0, 1, 13}) {
        GraphFixture s;
        s.engine = engine;
        REQUIRE(s.run() == CUDNN_STATUS_SUCCESS);
        s.stream.wait();
        const auto y = s.y.values();
        size_t i = 0;
        for (int n = 0; n < 2; ++n)
            for (int row = 0; row < 2; ++row)
                for (int column = 0; column < 3; ++column)
                    for (int k = 0; k < 4; ++k) CHECK(y[i++] == Approx(s.expected_y(n, row, column, k)));
    }
}

TEST_CASE("tensor cores round float32 operands, other engines do not") {
    const auto y_of = [](int64_t engine) {
        GraphFixture s;
        s.engine = engine;
        const Buffer odd(std::vector<float>(180, 1 + 0x1p-12f));
        REQUIRE(s.run(odd.get(), s.y.get()) == CUDNN_STATUS_SUCCESS);
        s.stream.wait();
        return s.y.values();
    };
    CHECK(y_of(1) != y_of(13));
}

TEST_CASE("a missing attribute, one of another type, or parts that do not fit are refused") {
    GraphFixture s;
    SECTION("a stride that does not match the extents of y") {
        s.stride = {1, 1};
    }
    SECTION("padding that does not match the extents of y") {
        s.before = {0, 0};
    }
    SECTION("a dilation that does not match the extents of y") {
        s.dilation = {2, 2};
    }
    SECTION("x with more channels than the weights") {
        s.x_extents = {2, 4, 5, 6};
    }
    SECTION("x with more images than y") {
        s.x_extents = {3, 3, 5, 6};
    }
    CHECK(CUDNN_STATUS_CATEGORY(s.build_operation()) == CUDNN_STATUS_BAD_PARAM);
    CHECK_THAT(refusals(), ContainsSubstring("cudnnBackendFinalize"));
}

TEST_CASE("tensors must be complete") {
    Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, int64_t{1});
    CHECK(tensor.try_finalize() == CUDNN_STATUS_BAD_PARAM);
    Descriptor typed = open_tensor(1, {1, 2, 3, 4});
    typed.set(CUDNN_ATTR_TENSOR_DATA_TYPE, int64_t{0});
    CHECK(typed.try_finalize() == CUDNN_STATUS_BAD_PARAM);
    Descriptor empty = open_tensor(1, {1, 0, 3, 4});
    CHECK(empty.try_finalize() == CUDNN_STATUS_BAD_PARAM);
    Descriptor rows = open_tensor(1, {1, 2, 3, 4});
    rows.set(CUDNN_ATTR_TENSOR_STRIDES, {int64_t{24}, int64_t{12}, int64_t{4}, int64_t{1}});
    CHECK_THROWS_WITH(rows.try_finalize(), ContainsSubstring("NHWC"));
    CHECK_THAT(refusals(), ContainsSubstring("is missing") && ContainsSubstring("has another type") &&
                               ContainsSubstring("not positive"));
}

TEST_CASE("a part that is not finalised, and a change after finalising, are refused") {
    const Descriptor open = open_tensor(1, {1, 2, 3, 4});
    Descriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    CHECK_THROWS_WITH(operation.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, open), ContainsSubstring("not finalised"));
    Descriptor done = finalized(open_tensor(1, {1, 2, 3, 4}));
    CHECK_THROWS_WITH(done.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, int64_t{2}), ContainsSubstring("finalised already"));
    CHECK_THAT(refusals(), ContainsSubstring("cudnnBackendSetAttribute"));
}

TEST_CASE("a mixture of types has no engine") {
    GraphFixture s;
    s.x_type = CUDNN_DATA_BFLOAT16;
    CHECK(s.configs(CUDNN_HEUR_MODE_A).empty());
    CHECK(s.configs(CUDNN_HEUR_MODE_FALLBACK).empty());
}

TEST_CASE("a variant pack names every tensor in memory, and no other") {
    GraphFixture s;
    CHECK(s.run({1, 2}, {s.x.get(), s.w.get()}, s.workspace.get()) == CUDNN_STATUS_BAD_PARAM);
    CHECK(s.run({1, 2, 3, 4}, {s.x.get(), s.w.get(), s.y.get(), s.y.get()}, s.workspace.get()) ==
          CUDNN_STATUS_BAD_PARAM);
    CHECK(s.run({1, 2, 3}, {s.x.get(), s.w.get(), nullptr}, s.workspace.get()) == CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
    CHECK_THAT(refusals(), ContainsSubstring("the tensor 3 has no pointer") && ContainsSubstring("does not use"));
}

TEST_CASE("each engine needs a workspace of its own size, and overwrites it") {
    GraphFixture s;
    REQUIRE(s.run() == CUDNN_STATUS_SUCCESS);
    s.stream.wait();
    const auto floats = size_t(s.workspace_bytes()) / sizeof(float);
    CHECK(s.workspace.values()[0] != 0);
    CHECK(s.workspace.values()[floats - 1] != 0);
    CHECK(s.workspace.values()[floats + 1] == 0);
    const int64_t bytes = s.workspace_bytes();
    s.engine = 0;
    s.config.reset();
    s.build_plan();
    CHECK(s.workspace_bytes() != bytes);
    CHECK(s.run({1, 2, 3}, {s.x.get(), s.w.get(), s.y.get()}, nullptr) == CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
    CHECK_THAT(refusals(), ContainsSubstring("workspace"));
}

TEST_CASE("arrays that are misaligned, overlapping or not entirely on the device are detected") {
    GraphFixture s;
    std::vector<float> on_host(180);
    const Buffer small(std::vector<float>(179));
    CHECK_THROWS_AS(s.run(on_host.data(), s.y.get()), Misuse);
    CHECK_THROWS_AS(s.run(small.get(), s.y.get()), Misuse);
    CHECK_THROWS_AS(s.run(s.x.get(), s.x.get()), Misuse);
    void* const freed = Buffer(std::vector<float>(180)).get();
    CHECK_THROWS_AS(s.run(freed, s.y.get()), Misuse);
    CHECK(s.run(s.x.get() + 1, s.y.get()) == CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER);
    CHECK_THAT(refusals(), ContainsSubstring("16 bytes"));
}

TEST_CASE("a descriptor or handle that is not live throws Misuse") {
    GraphFixture s;
    s.build_plan();
    s.xs.reset();
    CHECK_THROWS_WITH(s.run(), ContainsSubstring("a destroyed cuDNN descriptor"));
    CHECK_THROWS_AS(cudnnBackendDestroyDescriptor(&s), Misuse);
    cudnnHandle_t destroyed = nullptr;
    REQUIRE(cudnnCreate(&destroyed) == CUDNN_STATUS_SUCCESS);
    REQUIRE(cudnnDestroy(destroyed) == CUDNN_STATUS_SUCCESS);
    CHECK_THROWS_AS(cudnnSetStream(destroyed, s.stream.get()), Misuse);
}

TEST_CASE("running on a destroyed stream throws Misuse") {
    GraphFixture s;
    {
        const StreamOwner other;
        REQUIRE(cudnnSetStream(s.cudnn, other.get()) == CUDNN_STATUS_SUCCESS);
    }
    CHECK_THROWS_AS(s.run(), Misuse);
}

TEST_CASE("leaked descriptors are counted") {
    CHECK(cudnn_descriptors().leaked() == "");
    {
        const Descriptor tensor = open_tensor(1, {1, 2, 3, 4});
        CHECK_THAT(cudnn_descriptors().leaked(), ContainsSubstring("1 cuDNN descriptor"));
    }
    CHECK(cudnn_descriptors().leaked() == "");
}
