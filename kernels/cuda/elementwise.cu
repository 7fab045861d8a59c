#include "kernels/elementwise.h"

#include "kernels/cuda/grid.h"
#include "kernels/elementwise_body.h"

namespace residual::kernels {
namespace {

template <class T>
__global__ void relu_kernel(int64_t n, const T* x, T* y) {
    for (int64_t i = first_element(); i < n; i += grid_threads()) store(y[i], relu_value(to_float(x[i])));
}

template <class T>
__global__ void relu_backward_kernel(int64_t n, const T* y, const T* dy, T* dx) {
    for (int64_t i = first_element(); i < n; i += grid_threads())
        store(dx[i], relu_gradient(to_float(y[i]), to_float(dy[i])));
}

template <class T>
__global__ void add_kernel(int64_t n, const T* a, const T* b, T* y) {
    for (int64_t i = first_element(); i < n; i += grid_threads()) store(y[i], to_float(a[i]) + to_float(b[i]));
}

template <class From, class To>
__global__ void cast_kernel(int64_t n, const From* x, To* y) {
    for (int64_t i = first_element(); i < n; i += grid_threads()) store(y[i], to_float(x[i]));
}

__global__ void scale_kernel(int64_t n, const float* x, const float* factor, float* y) {
    for (int64_t i = first_element(); i < n; i += grid_threads()) y[i] = x[i] * *factor;
}

template <class T>
__global__ void fill_kernel(int64_t n, float value, T* y) {
    for (int64_t i = first_element(); i < n; i += grid_threads()) store(y[i], value);
}

}  // namespace

template <class Exec, class T>
void relu(const Exec& exec, int64_t n, const T* x, T* y) {
    launch(relu_kernel<T>, element_grid(n), kBlockThreads, 0, exec.stream, n, x, y);
}

template <class Exec, class T>
void relu_backward(const Exec& exec, int64_t n, const T* y, const T* dy, T* dx) {
    launch(relu_backward_kernel<T>, element_grid(n), kBlockThreads, 0, exec.stream, n, y, dy, dx);
}

template <class Exec, class T>
void add(const Exec& exec, int64_t n, const T* a, const T* b, T* y) {
    launch(add_kernel<T>, element_grid(n), kBlockThreads, 0, exec.stream, n, a, b, y);
}

template <class From, class To, class Exec>
void cast(const Exec& exec, int64_t n, const From* x, To* y) {
    launch(cast_kernel<From, To>, element_grid(n), kBlockThreads, 0, exec.stream, n, x, y);
}

template <class Exec>
void scale(const Exec& exec, int64_t n, const float* x, const float* factor, float* y) {
    launch(scale_kernel, element_grid(n), kBlockThreads, 0, exec.stream, n, x, factor, y);
}

template <class Exec, class T>
void fill(const Exec& exec, int64_t n, std::type_identity_t<T> value, T* y) {
    launch(fill_kernel<T>, element_grid(n), kBlockThreads, 0, exec.stream, n, to_float(value), y);
}

template void relu(const Cuda&, int64_t, const float*, float*);
template void relu(const Cuda&, int64_t, const bfloat16*, bfloat16*);
template void relu_backward(const Cuda&, int64_t, const float*, const float*, float*);
template void relu_backward(const Cuda&, int64_t, const bfloat16*, const bfloat16*, bfloat16*);
template void add(const Cuda&, int64_t, const float*, const float*, float*);
template void add(const Cuda&, int64_t, const bfloat16*, const bfloat16*, bfloat16*);
template void cast(const Cuda&, int64_t, const float*, bfloat16*);
template void cast(const Cuda&, int64_t, const bfloat16*, float*);
template void scale(const Cuda&, int64_t, const float*, const float*, float*);
template void fill(const Cuda&, int64_t, float, float*);
template void fill(const Cuda&, int64_t, bfloat16, bfloat16*);

}  // namespace residual::kernels
