// The fake cuBLAS: what it computes and which errors it detects.
#include <cmath>

#include "tests/fakes/fixture.h"

using namespace fakes;

namespace {

// Column-major: A [3, 2], B [2, 5] and C [3, 5] with leading dimensions 4, 3 and 6.
constexpr int kM = 3, kN = 5, kK = 2, kStrideA = 4, kStrideB = 3, kStrideC = 6;

struct Fixture {
    StreamOwner stream;
    cublasHandle_t cublas = nullptr;
    Buffer a{ramp(kStrideA * 3, -1, 0.5f)}, b{ramp(kStrideB * 5, 2, -0.25f)};
    Buffer c{std::vector<float>(kStrideC * kN, NAN)};
    Buffer workspace{std::vector<float>(1024)};
    float alpha = 1, beta = 0;

    Fixture() {
        REQUIRE(cublasCreate(&cublas) == CUBLAS_STATUS_SUCCESS);
        REQUIRE(cublasSetStream(cublas, stream.get()) == CUBLAS_STATUS_SUCCESS);
        REQUIRE(cublasSetWorkspace(cublas, workspace.get(), workspace.bytes()) == CUBLAS_STATUS_SUCCESS);
    }
    ~Fixture() { cublasDestroy(cublas); }

    cublasStatus_t multiply(int stride_a = kStrideA, int stride_b = kStrideB, int stride_c = kStrideC,
                            cublasOperation_t operation_a = CUBLAS_OP_N, cublasOperation_t operation_b = CUBLAS_OP_N) {
        return cublasSgemm(cublas, operation_a, operation_b, kM, kN, kK, &alpha, a.get(), stride_a, b.get(), stride_b,
                           &beta, c.get(), stride_c);
    }
};

}  // namespace

TEST_CASE("column-major matrices are multiplied; beta = 0 does not read the output") {
    Fixture s;
    REQUIRE(s.multiply() == CUBLAS_STATUS_SUCCESS);
    s.stream.wait();
    const auto a = s.a.values(), b = s.b.values(), c = s.c.values();
    for (int column = 0; column < kN; ++column) {
        for (int row = 0; row < kM; ++row) {
            const float sum = a[row] * b[column * kStrideB] + a[kStrideA + row] * b[column * kStrideB + 1];
            CHECK(c[column * kStrideC + row] == Approx(sum));
        }
        CHECK(std::isnan(c[column * kStrideC + kM]));  // the padding between columns is not written
    }
}

TEST_CASE("operands are transposed on request") {
    Fixture s;
    const Buffer a(ramp(kK * kM, -1, 0.5f)), b(ramp(kN * kK, 2, -0.25f));
    REQUIRE(cublasSgemm(s.cublas, CUBLAS_OP_T, CUBLAS_OP_T, kM, kN, kK, &s.alpha, a.get(), kK, b.get(), kN, &s.beta,
                        s.c.get(), kStrideC) == CUBLAS_STATUS_SUCCESS);
    s.stream.wait();
    for (int column = 0; column < kN; ++column) {
        for (int row = 0; row < kM; ++row) {
            const float sum =
                a.values()[row * kK] * b.values()[column] + a.values()[row * kK + 1] * b.values()[kN + column];
            CHECK(s.c.values()[column * kStrideC + row] == Approx(sum));
        }
    }
}

TEST_CASE("a leading dimension smaller than the number of rows is refused") {
    Fixture s;
    CHECK(s.multiply(kM - 1) == CUBLAS_STATUS_INVALID_VALUE);
    CHECK(s.multiply(kStrideA, kK - 1) == CUBLAS_STATUS_INVALID_VALUE);
    CHECK(s.multiply(kStrideA, kStrideB, kM - 1) == CUBLAS_STATUS_INVALID_VALUE);
    CHECK(s.multiply(kK - 1, kStrideB, kStrideC, CUBLAS_OP_T) == CUBLAS_STATUS_INVALID_VALUE);
    CHECK(s.multiply(kStrideA, kN - 1, kStrideC, CUBLAS_OP_N, CUBLAS_OP_T) == CUBLAS_STATUS_INVALID_VALUE);
    CHECK_THAT(refusals(), ContainsSubstring("the leading dimension of C is 2"));
}

TEST_CASE("TF32 drops bits that pedantic math keeps") {
    Fixture s;
    const Buffer odd(std::vector<float>(kStrideA * kK, 1 + 0x1p-12f));
    const auto product = [&](cublasMath_t math) {
        REQUIRE(cublasSetMathMode(s.cublas, math) == CUBLAS_STATUS_SUCCESS);
        REQUIRE(cublasSgemm(s.cublas, CUBLAS_OP_N, CUBLAS_OP_N, kM, kN, kK, &s.alpha, odd.get(), kStrideA, s.b.get(),
                            kStrideB, &s.beta, s.c.get(), kStrideC) == CUBLAS_STATUS_SUCCESS);
        s.stream.wait();
        return s.c.values()[0];
    };
    CHECK(product(CUBLAS_PEDANTIC_MATH) != product(CUBLAS_TF32_TENSOR_OP_MATH));
}

TEST_CASE("matrices that overlap or extend beyond their allocation throw Misuse") {
    Fixture s;
    CHECK_THROWS_AS(s.multiply(kStrideA * 3), Misuse);
    CHECK_THROWS_AS(cublasSgemm(s.cublas, CUBLAS_OP_N, CUBLAS_OP_N, kM, kN, kK, &s.alpha, s.a.get(), kStrideA,
                                s.b.get(), kStrideB, &s.beta, s.b.get(), kM),
                    Misuse);
}

TEST_CASE("a workspace must be aligned, on the device, and live when it is used") {
    Fixture s;
    CHECK(cublasSetWorkspace(s.cublas, s.workspace.get() + 1, 1024) == CUBLAS_STATUS_INVALID_VALUE);
    CHECK_THAT(refusals(), ContainsSubstring("256 bytes"));
    CHECK_THROWS_AS(cublasSetWorkspace(s.cublas, s.workspace.get(), s.workspace.bytes() + 1), Misuse);
    {
        const Buffer other(std::vector<float>(256));
        REQUIRE(cublasSetWorkspace(s.cublas, other.get(), other.bytes()) == CUBLAS_STATUS_SUCCESS);
    }
    CHECK_THROWS_AS(s.multiply(), Misuse);
}

TEST_CASE("using a destroyed cuBLAS handle throws Misuse") {
    Fixture s;
    cublasHandle_t destroyed = nullptr;
    REQUIRE(cublasCreate(&destroyed) == CUBLAS_STATUS_SUCCESS);
    REQUIRE(cublasDestroy(destroyed) == CUBLAS_STATUS_SUCCESS);
    CHECK_THROWS_AS(cublasDestroy(destroyed), Misuse);
    CHECK_THROWS_AS(cublasSetMathMode(destroyed, CUBLAS_PEDANTIC_MATH), Misuse);
    CHECK(cublasDestroy(nullptr) == CUBLAS_STATUS_NOT_INITIALIZED);
    CHECK(refusals() != "");
}
