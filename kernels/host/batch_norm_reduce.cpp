#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "kernels/batch_norm.h"
#include "kernels/batch_norm_body.h"
#include "kernels/host/channel_lines.h"
#include "kernels/host/parallel.h"
#include "kernels/host/target.h"

namespace residual::kernels {
namespace {

// Most chunks of a reduction: independent of the number of threads, so that the result is too, and divisible by most
// thread counts.
constexpr int64_t kChunks = 96;

// Lines that still fit in the L1 cache for the second read: 16 KiB of float.
constexpr int64_t kBlockLines = 16;

int64_t chunk_count(const ChannelLines& lines) {
    return std::min(kChunks, lines.count);
}
int64_t chunk_begin(const ChannelLines& lines, int64_t chunk) {
    return lines.count * chunk / chunk_count(lines);
}

// The partial result of a chunk, for the channels of a slice.
struct Partial {
    double first[kLineElements] = {}, second[kLineElements] = {};
};

double* partial_of(float* scratch, const ChannelLines& lines, int64_t chunk) {
    return reinterpret_cast<double*>(scratch) + chunk * 2 * lines.channels;
}

void merge(Partial& into, double count, const double* mean, const double* m2, double added, int channels) {
#pragma omp simd
    for (int c = 0; c < channels; ++c) {
        const Moments merged = merge_moments({into.first[c], into.second[c]}, count, {mean[c], m2[c]}, added);
        into.first[c] = merged.mean;
        into.second[c] = merged.m2;
    }
}

// Calls body(count, offset, width) for the lines [begin, end): four lines of full width at a time, so that the sums are
// loaded and stored a quarter as often, then the rest one by one. count is an integral_constant.
template <class Body>
void for_lines(const ChannelLines& lines, int64_t begin, int64_t end, Body body) {
    constexpr int kUnroll = 4;
    const int full = lines.channels * lines.copies;
    int64_t line = begin;
    for (; line + kUnroll <= end && lines.width(line + kUnroll - 1) == full; line += kUnroll) {
        body(std::integral_constant<int, kUnroll>{}, lines.offset(line), full);
    }
    for (; line < end; ++line) body(std::integral_constant<int, 1>{}, lines.offset(line), lines.width(line));
}

// The moments of the lines [begin, end). The first pass reads element i by load(i), the second from stored[i].
template <class T, class Load>
Partial moments_of(const ChannelLines& lines, int64_t begin, int64_t end, const T* stored, Load load) {
    Partial result, block;
    Line mean, deviation, square;
    for (int64_t first = begin; first < end; first += kBlockLines) {
        const int64_t last = std::min(end, first + kBlockLines);
        const double rows = static_cast<double>(lines.rows(first, last));
        mean.clear();
        for_lines(lines, first, last, [&](auto count, int64_t offset, int width) {
#pragma omp simd
            for (int i = 0; i < width; ++i) {
                float sum = 0.0f;
                for (int k = 0; k < count; ++k) sum += load(offset + k * lines.stride + i);
                mean.v[i] += sum;
            }
        });
        mean.fold(lines);
        const float share = static_cast<float>(1.0 / rows);
        mean.spread(lines, [&](int c) { return mean.v[c] * share; });
        deviation.clear();
        square.clear();
        for_lines(lines, first, last, [&](auto count, int64_t offset, int width) {
#pragma omp simd
            for (int i = 0; i < width; ++i) {
                float sum = 0.0f, sum_of_squares = 0.0f;
                for (int k = 0; k < count; ++k) {
                    const float d = to_float(stored[offset + k * lines.stride + i]) - mean.v[i];
                    sum += d;
                    sum_of_squares += d * d;
                }
                deviation.v[i] += sum;
                square.v[i] += sum_of_squares;
            }
        });
        deviation.fold(lines);
        square.fold(lines);
#pragma omp simd
        for (int c = 0; c < lines.channels; ++c) {
            const Moments moments = moments_about(mean.v[c], deviation.v[c], square.v[c], rows);
            block.first[c] = moments.mean;
            block.second[c] = moments.m2;
        }
        merge(result, static_cast<double>(lines.rows(begin, first)), block.first, block.second, rows, lines.channels);
    }
    return result;
}

// Runs reduce(begin, end) -> Partial on the chunks of lines in parallel and stores the results in the scratch.
template <class Reduce>
void reduce_chunks(const ChannelLines& lines, float* scratch, Reduce reduce) {
#pragma omp parallel for schedule(static) if (lines.count * kLineElements > kParallelElements)
    for (int64_t chunk = 0; chunk < chunk_count(lines); ++chunk) {
        const Partial result = reduce(chunk_begin(lines, chunk), chunk_begin(lines, chunk + 1));
        double* partial = partial_of(scratch, lines, chunk);
        std::copy_n(result.first, lines.channels, partial);
        std::copy_n(result.second, lines.channels, partial + lines.channels);
    }
}

template <class T, class Load>
void statistics(const BatchNormShape& shape, const T* stored, Load load, float* mean, float* variance, float* scratch) {
    for_each_slice(shape, [&](const ChannelLines& lines) {
        reduce_chunks(lines, scratch,
                      [&](int64_t begin, int64_t end) { return moments_of(lines, begin, end, stored, load); });
        Partial total;
        for (int64_t chunk = 0; chunk < chunk_count(lines); ++chunk) {
            const int64_t begin = chunk_begin(lines, chunk), end = chunk_begin(lines, chunk + 1);
            const double* partial = partial_of(scratch, lines, chunk);
            merge(total, static_cast<double>(lines.rows(0, begin)), partial, partial + lines.channels,
                  static_cast<double>(lines.rows(begin, end)), lines.channels);
        }
        for (int c = 0; c < lines.channels; ++c) {
            mean[lines.first_channel + c] = static_cast<float>(total.first[c]);
            variance[lines.first_channel + c] = variance_of(total.second[c], shape.rows);
        }
    });
}

// Per channel of the lines [begin, end): the sums of g * (x - mean) and of g.
template <bool Relu, class T>
Partial gradient_sums(const ChannelLines& lines, int64_t begin, int64_t end, const BatchNormLine& p, const T* dy,
                      const T* x) {
    Partial result;
    Line product, sum;
    for (int64_t first = begin; first < end; first += kBlockLines) {
        const int64_t last = std::min(end, first + kBlockLines);
        product.clear();
        sum.clear();
        for (int64_t line = first; line < last; ++line) {
            const T* upstream = dy + lines.offset(line);
            const T* source = x + lines.offset(line);
            const int width = lines.width(line);
#pragma omp simd
            for (int i = 0; i < width; ++i) {
                const float value = to_float(source[i]);
                const float g =
                    passed_gradient<Relu>(to_float(upstream[i]), value, p.mean.v[i], p.scale.v[i], p.beta.v[i]);
                product.v[i] += g * (value - p.mean.v[i]);
                sum.v[i] += g;
            }
        }
        product.fold(lines);
        sum.fold(lines);
        for (int c = 0; c < lines.channels; ++c) {
            result.first[c] += product.v[c];
            result.second[c] += sum.v[c];
        }
    }
    return result;
}

}  // namespace

template <class Exec>
size_t batch_stats_scratch_floats(const Exec&, const BatchNormShape& shape) {
    return static_cast<size_t>(kChunks) * shape.channels * (2 * sizeof(double) / sizeof(float));
}

template <class Exec, class T>
void batch_stats(const Exec&, const BatchNormShape& shape, const T* x, float* mean, float* variance, float* scratch) {
    statistics(
        shape, x, [=](int64_t i) { return to_float(x[i]); }, mean, variance, scratch);
}

template <class Exec, class T>
void add_batch_stats(const Exec&, const BatchNormShape& shape, const T* residual, T* y, float* mean, float* variance,
                     float* scratch) {
    const auto add = [=](int64_t i) {
        store(y[i], to_float(y[i]) + to_float(residual[i]));
        return to_float(y[i]);
    };
    statistics(shape, y, add, mean, variance, scratch);
}

template <class Exec, class T>
void batch_norm_backward_reduce(const Exec&, const BatchNormShape& shape, const T* dy, const T* x, const float* mean,
                                const float* variance, const float* gamma, const float* beta, float epsilon, bool relu,
                                float* dgamma, float* dbeta, float* scratch) {
    for_each_slice(shape, [&](const ChannelLines& lines) {
        const int channels = lines.channels, offset = lines.first_channel;
        const BatchNormLine p(lines, mean, variance, gamma, beta, epsilon);
        reduce_chunks(lines, scratch, [&](int64_t begin, int64_t end) {
            return relu ? gradient_sums<true>(lines, begin, end, p, dy, x)
                        : gradient_sums<false>(lines, begin, end, p, dy, x);
        });
        Partial total;
        for (int64_t chunk = 0; chunk < chunk_count(lines); ++chunk) {
            const double* partial = partial_of(scratch, lines, chunk);
            for (int c = 0; c < channels; ++c) {
                total.first[c] += partial[c];
                total.second[c] += partial[channels + c];
            }
        }
        for (int c = 0; c < channels; ++c) {
            dgamma[offset + c] = static_cast<float>(total.first[c] * reciprocal_std(variance[offset + c], epsilon));
            dbeta[offset + c] = static_cast<float>(total.second[c]);
        }
    });
}

template size_t batch_stats_scratch_floats(const Target&, const BatchNormShape&);
template void batch_stats(const Target&, const BatchNormShape&, const float*, float*, float*, float*);
template void batch_stats(const Target&, const BatchNormShape&, const bfloat16*, float*, float*, float*);
template void add_batch_stats(const Target&, const BatchNormShape&, const float*, float*, float*, float*, float*);
template void add_batch_stats(const Target&, const BatchNormShape&, const bfloat16*, bfloat16*, float*, float*, float*);
template void batch_norm_backward_reduce(const Target&, const BatchNormShape&, const float*, const float*, const float*,
                                         const float*, const float*, const float*, float, bool, float*, float*, float*);
template void batch_norm_backward_reduce(const Target&, const BatchNormShape&, const bfloat16*, const bfloat16*,
                                         const float*, const float*, const float*, const float*, float, bool, float*,
                                         float*, float*);

}  // namespace residual::kernels
