#include "kernels/elementwise.h"

#include "kernels/elementwise_body.h"
#include "kernels/host/parallel.h"
#include "kernels/host/target.h"

namespace residual::kernels {

template <class Exec, class T>
void relu(const Exec&, int64_t n, const T* x, T* y) {
#pragma omp parallel for simd schedule(static) if (n > kParallelElements)
    for (int64_t i = 0; i < n; ++i) store(y[i], relu_value(to_float(x[i])));
}

template <class Exec, class T>
void relu_backward(const Exec&, int64_t n, const T* y, const T* dy, T* dx) {
#pragma omp parallel for simd schedule(static) if (n > kParallelElements)
    for (int64_t i = 0; i < n; ++i) store(dx[i], relu_gradient(to_float(y[i]), to_float(dy[i])));
}

template <class Exec, class T>
void add(const Exec&, int64_t n, const T* a, const T* b, T* y) {
#pragma omp parallel for simd schedule(static) if (n > kParallelElements)
    for (int64_t i = 0; i < n; ++i) store(y[i], to_float(a[i]) + to_float(b[i]));
}

template <class From, class To, class Exec>
void cast(const Exec&, int64_t n, const From* x, To* y) {
#pragma omp parallel for simd schedule(static) if (n > kParallelElements)
    for (int64_t i = 0; i < n; ++i) store(y[i], to_float(x[i]));
}

template <class Exec>
void scale(const Exec&, int64_t n, const float* x, const float* factor, float* y) {
    const float by = *factor;
#pragma omp parallel for simd schedule(static) if (n > kParallelElements)
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] * by;
}

template <class Exec, class T>
void fill(const Exec&, int64_t n, std::type_identity_t<T> value, T* y) {
    const float wide = to_float(value);
#pragma omp parallel for simd schedule(static) if (n > kParallelElements)
    for (int64_t i = 0; i < n; ++i) store(y[i], wide);
}

template void relu(const Target&, int64_t, const float*, float*);
template void relu(const Target&, int64_t, const bfloat16*, bfloat16*);
template void relu_backward(const Target&, int64_t, const float*, const float*, float*);
template void relu_backward(const Target&, int64_t, const bfloat16*, const bfloat16*, bfloat16*);
template void add(const Target&, int64_t, const float*, const float*, float*);
template void add(const Target&, int64_t, const bfloat16*, const bfloat16*, bfloat16*);
template void cast(const Target&, int64_t, const float*, bfloat16*);
template void cast(const Target&, int64_t, const bfloat16*, float*);
template void scale(const Target&, int64_t, const float*, const float*, float*);
template void fill(const Target&, int64_t, float, float*);
template void fill(const Target&, int64_t, bfloat16, bfloat16*);

}  // namespace residual::kernels
