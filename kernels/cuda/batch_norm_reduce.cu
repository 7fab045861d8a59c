#include "kernels/batch_norm.h"
#include "kernels/batch_norm_body.h"
#include "kernels/cuda/block_reduce.h"
#include "kernels/cuda/channel_grid.h"

namespace residual::kernels {
namespace {

// Two stages: each block reduces a chunk of rows for up to 256 channels to two doubles per channel in the scratch,
// [chunk][channel]; then one block per channel combines the chunks. The chunks depend only on the shape.

constexpr int64_t kMaxChunks = 512;
constexpr int kCombineThreads = 128;

// Rows that a thread holds in registers at a time, to compute their mean before their squared deviations.
constexpr int kGroup = 16;

unsigned chunk_count(const BatchNormShape& shape) {
    const int64_t rows = int64_t{channel_block(shape).y} * kGroup;
    return static_cast<unsigned>(std::min(kMaxChunks, (shape.rows + rows - 1) / rows));
}

__device__ int64_t chunk_begin(int64_t rows, int64_t chunk, int64_t chunks) {
    return rows * chunk / chunks;
}

struct CountedMoments {
    Moments moments;
    double count;
};

struct MergeMoments {
    __device__ CountedMoments operator()(const CountedMoments& a, const CountedMoments& b) const {
        if (b.count == 0.0) return a;
        return {merge_moments(a.moments, a.count, b.moments, b.count), a.count + b.count};
    }
};

struct TwoSums {
    double first, second;

    __device__ TwoSums operator+(const TwoSums& b) const { return {first + b.first, second + b.second}; }
};

// Combines the threads of a block that hold the same channel, in order of threadIdx.y. Valid if threadIdx.y == 0.
template <class Value, class Combine>
__device__ Value combine_rows(Value value, Combine combine) {
    Value* slots = dynamic_shared<Value>();
    slots[threadIdx.y * blockDim.x + threadIdx.x] = value;
    __syncthreads();
    if (threadIdx.y != 0) return value;
    for (unsigned y = 1; y < blockDim.y; ++y) value = combine(value, slots[y * blockDim.x + threadIdx.x]);
    return value;
}

// The moments of y. Unless Y is const, first adds `residual` to y and rounds; the moments are those of the rounded y.
template <class T, class Y>
__global__ void moments_kernel(BatchNormShape shape, const T* residual, Y* y, double* partial) {
    const int c = channel_of_thread();
    const int64_t begin = chunk_begin(shape.rows, blockIdx.x, gridDim.x) + threadIdx.y;
    const int64_t end = c < shape.channels ? chunk_begin(shape.rows, blockIdx.x + 1, gridDim.x) : 0;
    CountedMoments sum{{0.0, 0.0}, 0.0};
    for (int64_t first = begin; first < end; first += int64_t{kGroup} * blockDim.y) {
        float values[kGroup];
        float total = 0.0f;
        int count = 0;
#pragma unroll
        for (int j = 0; j < kGroup; ++j) {
            const int64_t row = first + int64_t{j} * blockDim.y;
            if (row >= end) continue;
            const int64_t i = row * shape.channels + c;
            if constexpr (!std::is_const_v<Y>) store(y[i], to_float(y[i]) + to_float(residual[i]));
            values[j] = to_float(y[i]);
            total += values[j];
            ++count;
        }
        const float pivot = total / static_cast<float>(count);
        float deviation = 0.0f, square = 0.0f;
#pragma unroll
        for (int j = 0; j < kGroup; ++j) {
            if (j >= count) continue;
            const float d = values[j] - pivot;
            deviation += d;
            square += d * d;
        }
        sum = MergeMoments{}(sum, {moments_about(pivot, deviation, square, count), static_cast<double>(count)});
    }
    sum = combine_rows(sum, MergeMoments{});
    if (threadIdx.y == 0 && c < shape.channels) {
        double* target = partial + (int64_t{blockIdx.x} * shape.channels + c) * 2;
        target[0] = sum.moments.mean;
        target[1] = sum.moments.m2;
    }
}

__global__ void combine_moments_kernel(BatchNormShape shape, int chunks, const double* partial, float* mean,
                                       float* variance) {
    const int c = static_cast<int>(blockIdx.x);
    CountedMoments sum{{0.0, 0.0}, 0.0};
    for (int chunk = threadIdx.x; chunk < chunks; chunk += blockDim.x) {
        const int64_t rows = chunk_begin(shape.rows, chunk + 1, chunks) - chunk_begin(shape.rows, chunk, chunks);
        const double* source = partial + (int64_t{chunk} * shape.channels + c) * 2;
        sum = MergeMoments{}(sum, {{source[0], source[1]}, static_cast<double>(rows)});
    }
    sum = block_reduce(sum, MergeMoments{});
    if (threadIdx.x == 0) {
        mean[c] = static_cast<float>(sum.moments.mean);
        variance[c] = variance_of(sum.moments.m2, shape.rows);
    }
}

// The sums of g * (x - mean) and of g.
template <bool Relu, class T>
__global__ void gradient_sums_kernel(BatchNormShape shape, const T* dy, const T* x, const float* mean,
                                     const float* variance, const float* gamma, const float* beta, float epsilon,
                                     double* partial) {
    const int c = channel_of_thread();
    const bool active = c < shape.channels;
    const int64_t begin = chunk_begin(shape.rows, blockIdx.x, gridDim.x) + threadIdx.y;
    const int64_t end = active ? chunk_begin(shape.rows, blockIdx.x + 1, gridDim.x) : 0;
    const float m = active ? mean[c] : 0.0f, b = active ? beta[c] : 0.0f;
    const float scale = active ? gamma[c] * reciprocal_std(variance[c], epsilon) : 0.0f;
    TwoSums sum{0.0, 0.0};
    for (int64_t first = begin; first < end; first += int64_t{kGroup} * blockDim.y) {
        float product = 0.0f, total = 0.0f;
#pragma unroll
        for (int j = 0; j < kGroup; ++j) {
            const int64_t row = first + int64_t{j} * blockDim.y;
            if (row >= end) continue;
            const int64_t i = row * shape.channels + c;
            const float value = to_float(x[i]);
            const float g = passed_gradient<Relu>(to_float(dy[i]), value, m, scale, b);
            product += g * (value - m);
            total += g;
        }
        sum = sum + TwoSums{product, total};
    }
    sum = combine_rows(sum, Plus{});
    if (threadIdx.y == 0 && active) {
        double* target = partial + (int64_t{blockIdx.x} * shape.channels + c) * 2;
        target[0] = sum.first;
        target[1] = sum.second;
    }
}

__global__ void combine_gradients_kernel(BatchNormShape shape, int chunks, const double* partial, const float* variance,
                                         float epsilon, float* dgamma, float* dbeta) {
    const int c = static_cast<int>(blockIdx.x);
    TwoSums sum{0.0, 0.0};
    for (int chunk = threadIdx.x; chunk < chunks; chunk += blockDim.x) {
        const double* source = partial + (int64_t{chunk} * shape.channels + c) * 2;
        sum = sum + TwoSums{source[0], source[1]};
    }
    sum = block_reduce(sum, Plus{});
    if (threadIdx.x == 0) {
        dgamma[c] = static_cast<float>(sum.first * reciprocal_std(variance[c], epsilon));
        dbeta[c] = static_cast<float>(sum.second);
    }
}

// Y is T to add the residual, const T for the statistics only.
template <class T, class Y>
void statistics(const Cuda& exec, const BatchNormShape& shape, const T* residual, Y* y, float* mean, float* variance,
                float* scratch) {
    double* partial = reinterpret_cast<double*>(scratch);
    const unsigned chunks = chunk_count(shape);
    launch(moments_kernel<T, Y>, channel_grid(shape, chunks), channel_block(shape),
           kBlockThreads * sizeof(CountedMoments), exec.stream, shape, residual, y, partial);
    launch(combine_moments_kernel, static_cast<unsigned>(shape.channels), kCombineThreads,
           kCombineThreads * sizeof(CountedMoments), exec.stream, shape, chunks, partial, mean, variance);
}

}  // namespace

template <class Exec>
size_t batch_stats_scratch_floats(const Exec&, const BatchNormShape& shape) {
    return static_cast<size_t>(chunk_count(shape)) * shape.channels * (sizeof(TwoSums) / sizeof(float));
}

template <class Exec, class T>
void batch_stats(const Exec& exec, const BatchNormShape& shape, const T* x, float* mean, float* variance,
                 float* scratch) {
    const T* no_residual = nullptr;
    statistics(exec, shape, no_residual, x, mean, variance, scratch);
}

template <class Exec, class T>
void add_batch_stats(const Exec& exec, const BatchNormShape& shape, const T* residual, T* y, float* mean,
                     float* variance, float* scratch) {
    statistics(exec, shape, residual, y, mean, variance, scratch);
}

template <class Exec, class T>
void batch_norm_backward_reduce(const Exec& exec, const BatchNormShape& shape, const T* dy, const T* x,
                                const float* mean, const float* variance, const float* gamma, const float* beta,
                                float epsilon, bool relu, float* dgamma, float* dbeta, float* scratch) {
    double* partial = reinterpret_cast<double*>(scratch);
    const unsigned chunks = chunk_count(shape);
    launch(relu ? gradient_sums_kernel<true, T> : gradient_sums_kernel<false, T>, channel_grid(shape, chunks),
           channel_block(shape), kBlockThreads * sizeof(TwoSums), exec.stream, shape, dy, x, mean, variance, gamma,
           beta, epsilon, partial);
    launch(combine_gradients_kernel, static_cast<unsigned>(shape.channels), kCombineThreads,
           kCombineThreads * sizeof(TwoSums), exec.stream, shape, chunks, partial, variance, epsilon, dgamma, dbeta);
}

template size_t batch_stats_scratch_floats(const Cuda&, const BatchNormShape&);
template void batch_stats(const Cuda&, const BatchNormShape&, const float*, float*, float*, float*);
template void batch_stats(const Cuda&, const BatchNormShape&, const bfloat16*, float*, float*, float*);
template void add_batch_stats(const Cuda&, const BatchNormShape&, const float*, float*, float*, float*, float*);
template void add_batch_stats(const Cuda&, const BatchNormShape&, const bfloat16*, bfloat16*, float*, float*, float*);
template void batch_norm_backward_reduce(const Cuda&, const BatchNormShape&, const float*, const float*, const float*,
                                         const float*, const float*, const float*, float, bool, float*, float*, float*);
template void batch_norm_backward_reduce(const Cuda&, const BatchNormShape&, const bfloat16*, const bfloat16*,
                                         const float*, const float*, const float*, const float*, float, bool, float*,
                                         float*, float*);

}  // namespace residual::kernels
