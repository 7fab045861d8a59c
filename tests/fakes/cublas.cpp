// The fake cuBLAS: handles and the float32 matrix product.
#include <cublas_v2.h>

#include <algorithm>
#include <cstdint>

#include "tests/fakes/arrays.h"
#include "tests/fakes/device.h"
#include "tests/fakes/registry.h"

struct cublasContext {
    cudaStream_t stream = nullptr;
    void* workspace = nullptr;
    size_t workspace_bytes = 0;
    cublasMath_t math = CUBLAS_DEFAULT_MATH;
};

namespace fakes {
namespace {

using CublasRefusal = Refusal<cublasStatus_t>;

Registry<cublasContext>& handles() {
    static auto* const registry = new Registry<cublasContext>("cuBLAS handle");
    require_at_exit([] { return registry->leaked(); });
    return *registry;
}

void require(bool condition, cublasStatus_t status, const std::string& reason) {
    if (!condition) throw CublasRefusal{status, reason};
}

cublasContext& at(cublasHandle_t handle) {
    require(handle != nullptr, CUBLAS_STATUS_NOT_INITIALIZED, "the handle is null");
    return handles().at(handle);
}

template <class Body>
cublasStatus_t status_of(const char* call, Body body) {
    try {
        body();
        return CUBLAS_STATUS_SUCCESS;
    } catch (const CublasRefusal& refusal) {
        remember_wrong_argument(std::string(call) + ": " + refusal.reason);
        return refusal.status;
    }
}

// A column-major matrix; `stride` (the leading dimension) is the distance between columns, in floats.
struct Matrix {
    const char* name;
    const float* pointer;
    int rows, columns, stride;

    size_t floats() const { return size_t(stride) * (columns - 1) + rows; }
    DeviceArray array() const { return {name, pointer, floats() * sizeof(float)}; }

    void require_stride() const {
        require(stride >= std::max(1, rows), CUBLAS_STATUS_INVALID_VALUE,
                "the leading dimension of " + std::string(name) + " is " + std::to_string(stride) + ", less than its " +
                    std::to_string(rows) + " rows");
    }
};

// op(matrix): element [row, column] is at row * row_step + column * column_step.
struct Operand {
    std::vector<float> values;
    size_t row_step, column_step;

    Operand(const Matrix& matrix, bool transposed, bool tf32)
        : values(read_array(matrix.pointer, Storage::kFloat32, matrix.floats())),
          row_step(transposed ? size_t(matrix.stride) : 1),
          column_step(transposed ? 1 : size_t(matrix.stride)) {
        if (tf32) round_to_tf32(values);
    }
    float at(int row, int column) const { return values[row * row_step + column * column_step]; }
};

void multiply(const Operand& a, const Operand& b, int k, const Matrix& c, const Blend& blend) {
    for (int column = 0; column < c.columns; ++column) {
        std::vector<float> sums(c.rows);
        for (int row = 0; row < c.rows; ++row) {
            for (int i = 0; i < k; ++i) sums[row] += a.at(row, i) * b.at(i, column);
        }
        write_array(const_cast<float*>(c.pointer) + size_t(column) * c.stride, Storage::kFloat32, sums, blend);
    }
}

// Called when the product is queued and again when it runs, which may be later, in a graph replay.
void require_arrays(const Matrix& a, const Matrix& b, const Matrix& c, const DeviceArray& workspace) {
    for (const Matrix* matrix : {&a, &b, &c}) {
        if (reinterpret_cast<uintptr_t>(matrix->pointer) % sizeof(float) != 0) {
            throw Misuse(std::string(matrix->name) + " is not aligned to 4 bytes");
        }
        require_on_device(matrix->array());
    }
    require_disjoint(c.array(), {a.array(), b.array()});
    if (workspace.pointer == nullptr) return;
    require_on_device(workspace);
    require_disjoint(workspace, {a.array(), b.array(), c.array()});
}

// Overwriting part of a large workspace is enough to show whether a caller relies on its content.
constexpr size_t kGarbageBytes = size_t{1} << 16;

}  // namespace
}  // namespace fakes

using namespace fakes;

const char* cublasGetStatusName(cublasStatus_t status) {
    switch (status) {
        case CUBLAS_STATUS_SUCCESS:
            return "CUBLAS_STATUS_SUCCESS";
        case CUBLAS_STATUS_NOT_INITIALIZED:
            return "CUBLAS_STATUS_NOT_INITIALIZED";
        case CUBLAS_STATUS_INVALID_VALUE:
            return "CUBLAS_STATUS_INVALID_VALUE";
        default:
            return "another CUBLAS_STATUS";
    }
}

const char* cublasGetStatusString(cublasStatus_t status) {
    return cublasGetStatusName(status);
}

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
    return status_of("cublasCreate", [&] {
        require(handle != nullptr, CUBLAS_STATUS_INVALID_VALUE, "the pointer to the handle is null");
        *handle = handles().create();
    });
}

cublasStatus_t cublasDestroy(cublasHandle_t handle) {
    return status_of("cublasDestroy", [&] {
        at(handle);
        handles().destroy(handle);
    });
}

// Resets the workspace set by the user, as documented.
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
    return status_of("cublasSetStream", [&] {
        require_live(stream, "cublasSetStream");
        cublasContext& context = at(handle);
        context.stream = stream;
        context.workspace = nullptr;
        context.workspace_bytes = 0;
    });
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void* workspace, size_t bytes) {
    return status_of("cublasSetWorkspace", [&] {
        cublasContext& context = at(handle);
        require(reinterpret_cast<uintptr_t>(workspace) % 256 == 0, CUBLAS_STATUS_INVALID_VALUE,
                "the workspace is not aligned to 256 bytes");
        require_on_device({"the workspace", workspace, bytes});
        context.workspace = workspace;
        context.workspace_bytes = bytes;
    });
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
    return status_of("cublasSetMathMode", [&] {
        const bool known =
            mode == CUBLAS_DEFAULT_MATH || mode == CUBLAS_PEDANTIC_MATH || mode == CUBLAS_TF32_TENSOR_OP_MATH;
        if (!known) throw Misuse("the fake cuBLAS has no math mode " + std::to_string(mode));
        at(handle).math = mode;
    });
}

cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t transpose_a, cublasOperation_t transpose_b, int m,
                           int n, int k, const float* alpha, const float* a, int a_stride, const float* b, int b_stride,
                           const float* beta, float* c, int c_stride) {
    return status_of("cublasSgemm", [&] {
        const cublasContext& context = at(handle);
        require_live(context.stream, "the cuBLAS handle");
        require(m >= 0 && n >= 0 && k >= 0, CUBLAS_STATUS_INVALID_VALUE, "an extent is negative");
        for (const auto operation : {transpose_a, transpose_b}) {
            require(operation == CUBLAS_OP_N || operation == CUBLAS_OP_T || operation == CUBLAS_OP_C,
                    CUBLAS_STATUS_INVALID_VALUE, "unknown operation");
        }
        require(alpha != nullptr && beta != nullptr, CUBLAS_STATUS_INVALID_VALUE, "alpha or beta is null");
        const bool a_transposed = transpose_a != CUBLAS_OP_N, b_transposed = transpose_b != CUBLAS_OP_N;
        const Matrix matrix_a{"A", a, a_transposed ? k : m, a_transposed ? m : k, a_stride};
        const Matrix matrix_b{"B", b, b_transposed ? n : k, b_transposed ? k : n, b_stride};
        const Matrix matrix_c{"C", c, m, n, c_stride};
        for (const Matrix* matrix : {&matrix_a, &matrix_b, &matrix_c}) matrix->require_stride();
        if (m == 0 || n == 0 || k == 0) throw Misuse("the fake cuBLAS does not multiply empty matrices");
        const DeviceArray workspace{"the workspace", context.workspace, context.workspace_bytes};
        if (context.workspace == nullptr && is_being_captured(context.stream)) {
            throw Misuse("cublasSgemm is captured without a user-provided workspace");
        }
        require_arrays(matrix_a, matrix_b, matrix_c, workspace);
        const Blend blend{*alpha, *beta};
        const bool tf32 = context.math == CUBLAS_TF32_TENSOR_OP_MATH;
        queue(context.stream, "cublasSgemm", [=] {
            require_arrays(matrix_a, matrix_b, matrix_c, workspace);
            fill_with_garbage(const_cast<void*>(workspace.pointer), std::min(workspace.bytes, kGarbageBytes));
            multiply(Operand(matrix_a, a_transposed, tf32), Operand(matrix_b, b_transposed, tf32), k, matrix_c, blend);
        });
    });
}
