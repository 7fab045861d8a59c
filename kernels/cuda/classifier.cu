#include "kernels/classifier.h"

#include "kernels/cuda/bn_relu_conv_tile.h"
#include "kernels/cuda/grid.h"
#include "kernels/cuda/ordered_sum.h"

namespace residual::kernels {
namespace {

constexpr int kMaxChannels = 256, kMaxClasses = 32;
constexpr int kWarp = 32;

// A constant, so that the sums of the backward kernel do not depend on the GPU.
constexpr int kBackwardBlocks = 256;

int backward_blocks(const ClassifierShape& shape) {
    return shape.batch < kBackwardBlocks ? shape.batch : kBackwardBlocks;
}

// How a block loops over an image: `lanes` pixels at a time, each thread one chunk of eight channels. Surplus threads
// have lane >= lanes.
struct Walk {
    int lanes, lane;
    int chunks, channel;  // chunks per pixel, first channel of the thread's chunk

    __device__ explicit Walk(int channels)
        : lanes(kBlockThreads / (channels / kChunk)),
          lane(static_cast<int>(threadIdx.x) / (channels / kChunk)),
          chunks(channels / kChunk),
          channel(static_cast<int>(threadIdx.x) % chunks * kChunk) {}

    __device__ bool active() const { return lane < lanes; }
};

// The batch norm of a thread's channels, in registers.
struct ChunkBatchNorm {
    BatchNormScale channel[kChunk];

    __device__ ChunkBatchNorm(const BatchNormScale* batch_norm, const Walk& walk) {
#pragma unroll
        for (int i = 0; i < kChunk; ++i) channel[i] = batch_norm[walk.channel + i];
    }
};

// Sums each value over the lanes by a tree; the result is valid in lane 0. slots: Values * kBlockThreads floats. No
// level writes a slot that an earlier one reads, so one barrier per level is enough.
template <int Values>
__device__ void sum_lanes(const Walk& walk, float (&value)[Values], float* slots) {
    for (int lanes = walk.lanes; lanes > 1;) {
        const int half = (lanes + 1) / 2;
        if (walk.lane >= half && walk.lane < lanes) {
#pragma unroll
            for (int i = 0; i < Values; ++i) slots[i * kBlockThreads + threadIdx.x] = value[i];
        }
        __syncthreads();
        if (walk.lane + half < lanes) {
#pragma unroll
            for (int i = 0; i < Values; ++i) value[i] += slots[i * kBlockThreads + threadIdx.x + half * walk.chunks];
        }
        lanes = half;
    }
}

__device__ void move_running(const RunningStats& running, const BatchNormInput& batch_norm, int channels,
                             int64_t rows) {
    const float factor = unbiased_factor(rows);
    for (int c = threadIdx.x; c < channels; c += blockDim.x) {
        running.mean[c] = running_value(running.mean[c], batch_norm.mean[c], running.decay);
        running.variance[c] = running_value(running.variance[c], batch_norm.variance[c] * factor, running.decay);
    }
}

// One block per image: means over its pixels, then one warp per class.
__global__ void classifier_forward_kernel(ClassifierShape s, const bfloat16* x, BatchNormInput batch_norm_input,
                                          RunningStats running, const float* weight, const float* bias, float* pooled,
                                          float* logits) {
    BatchNormScale* batch_norms = dynamic_shared<BatchNormScale>();
    float* means = reinterpret_cast<float*>(batch_norms + s.channels);
    float* slots = means + s.channels;
    const int64_t image = blockIdx.x;
    const Walk walk(s.channels);
    load_batch_norm(batch_norm_input, s.channels, batch_norms);
    if (image == 0 && running.mean != nullptr) {
        move_running(running, batch_norm_input, s.channels, int64_t{s.batch} * s.pixels);
    }
    __syncthreads();

    float sum[kChunk] = {};
    if (walk.active()) {
        const ChunkBatchNorm batch_norm(batch_norms, walk);
        const bfloat16* source = x + image * s.pixels * s.channels + walk.channel;
#pragma unroll 2
        for (int pixel = walk.lane; pixel < s.pixels; pixel += walk.lanes) {
            const Chunk chunk = load_chunk(source + pixel * s.channels);
#pragma unroll
            for (int i = 0; i < kChunk; ++i) {
                const BatchNormScale& n = batch_norm.channel[i];
                const float value = normalised(to_float(chunk.v[i]), n.mean, n.scale, n.beta);
                sum[i] += value <= 0.0f ? 0.0f : value;  // propagates NaN
            }
        }
    }
    sum_lanes(walk, sum, slots);
    if (walk.lane == 0) {
#pragma unroll
        for (int i = 0; i < kChunk; ++i) {
            const float mean = sum[i] / static_cast<float>(s.pixels);
            means[walk.channel + i] = mean;
            pooled[image * s.channels + walk.channel + i] = mean;
        }
    }
    __syncthreads();

    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    for (int k = static_cast<int>(threadIdx.x) / kWarp; k < s.classes; k += kBlockThreads / kWarp) {
        float product = 0.0f;
        for (int c = lane; c < s.channels; c += kWarp) product += means[c] * weight[k * s.channels + c];
        for (int distance = kWarp / 2; distance > 0; distance /= 2) {
            product += __shfl_xor_sync(0xffffffffu, product, distance);
        }
        if (lane == 0) logits[image * s.classes + k] = product + bias[k];
    }
}

// Partial sums of a block: dgamma, dbeta [channels], dweight [classes, channels], dbias [classes].
__host__ __device__ int partial_floats(const ClassifierShape& s) {
    return 2 * s.channels + s.classes * s.channels + s.classes;
}

// pixel_gradient [channels]: the gradient of the ReLU's output, the same at every pixel of the image.
__device__ void load_pixel_gradient(const ClassifierShape& s, const float* dlogits, const float* weight,
                                    float* pixel_gradient) {
    for (int c = threadIdx.x; c < s.channels; c += blockDim.x) {
        float sum = 0.0f;
        for (int k = 0; k < s.classes; ++k) sum += dlogits[k] * weight[k * s.channels + c];
        pixel_gradient[c] = sum / static_cast<float>(s.pixels);
    }
}

// Publishes the block's parts of dweight and dbias.
__device__ void linear_sums(const ClassifierShape& s, const ClassifierBackward& b, float* dweight, float* dbias) {
    for (int i = threadIdx.x; i < s.classes * s.channels; i += blockDim.x) {
        const int k = i / s.channels, c = i % s.channels;
        float sum = 0.0f;
        for (int64_t image = blockIdx.x; image < s.batch; image += gridDim.x) {
            sum += b.dlogits[image * s.classes + k] * b.pooled[image * s.channels + c];
        }
        publish(dweight + i, sum);
    }
    for (int k = threadIdx.x; k < s.classes; k += blockDim.x) {
        float sum = 0.0f;
        for (int64_t image = blockIdx.x; image < s.batch; image += gridDim.x) {
            sum += b.dlogits[image * s.classes + k];
        }
        publish(dbias + k, sum);
    }
}

// Each block processes every gridDim.x-th image and keeps the batch norm's two sums in registers.
__global__ void classifier_backward_kernel(ClassifierShape s, ClassifierBackward b, SumScratch scratch) {
    BatchNormScale* batch_norms = dynamic_shared<BatchNormScale>();
    float* pixel_gradients = reinterpret_cast<float*>(batch_norms + s.channels);
    float* slots = pixel_gradients + s.channels;
    const Walk walk(s.channels);
    load_batch_norm(b.batch_norm, s.channels, batch_norms);
    __syncthreads();
    const ChunkBatchNorm batch_norm(batch_norms, walk);

    float sum[2 * kChunk] = {};  // of g * (x - mean), then of g
    for (int64_t image = blockIdx.x; image < s.batch; image += gridDim.x) {
        load_pixel_gradient(s, b.dlogits + image * s.classes, b.weight, pixel_gradients);
        __syncthreads();
        if (walk.active()) {
            float pixel_gradient[kChunk];
#pragma unroll
            for (int i = 0; i < kChunk; ++i) pixel_gradient[i] = pixel_gradients[walk.channel + i];
            const int64_t first = image * s.pixels * s.channels + walk.channel;
#pragma unroll 2
            for (int pixel = walk.lane; pixel < s.pixels; pixel += walk.lanes) {
                const Chunk chunk = load_chunk(b.x + first + pixel * s.channels);
                Chunk dx;
#pragma unroll
                for (int i = 0; i < kChunk; ++i) {
                    const BatchNormScale& n = batch_norm.channel[i];
                    const float value = to_float(chunk.v[i]);
                    const float g = passed_gradient<true>(pixel_gradient[i], value, n.mean, n.scale, n.beta);
                    sum[i] += g * (value - n.mean);
                    sum[kChunk + i] += g;
                    store(dx.v[i], n.scale * g);
                }
                store_chunk(b.dx + first + pixel * s.channels, dx);
            }
        }
        __syncthreads();
    }

    const int floats = partial_floats(s), channels = s.channels, weights = s.classes * s.channels;
    float* row = scratch.floats + int64_t{blockIdx.x} * floats;
    sum_lanes(walk, sum, slots);
    if (walk.lane == 0) {
#pragma unroll
        for (int i = 0; i < kChunk; ++i) {
            const int c = walk.channel + i;
            publish(row + c, sum[i] * reciprocal_std(b.batch_norm.variance[c], b.batch_norm.epsilon));
            publish(row + channels + c, sum[kChunk + i]);
        }
    }
    linear_sums(s, b, row + 2 * channels, row + 2 * channels + weights);
    sum_rows(scratch.floats, floats, gridDim.x, blockIdx.x, scratch.tickets, [&](int i, float total) {
        if (i < 2 * channels) {
            store_batch_norm_sum(b.batch_norm, b.batch_norm_gradients, channels, i, total);
        } else if (i < 2 * channels + weights) {
            b.dweight[i - 2 * channels] = total;
        } else {
            b.dbias[i - 2 * channels - weights] = total;
        }
    });
}

// The batch norm and one value per channel, then the slots of sum_lanes.
size_t shared_bytes(const ClassifierShape& shape, int slots) {
    return shape.channels * (sizeof(BatchNormScale) + sizeof(float)) + slots * kBlockThreads * sizeof(float);
}

}  // namespace

bool classifier_supported(const ClassifierShape& shape) {
    return shape.channels > 0 && shape.channels % kChunk == 0 && shape.channels <= kMaxChannels && shape.classes > 0 &&
           shape.classes <= kMaxClasses;
}

template <class Exec>
void classifier_forward(const Exec& exec, const ClassifierShape& shape, const bfloat16* x,
                        const BatchNormInput& batch_norm, const RunningStats& running, const float* weight,
                        const float* bias, float* pooled, float* logits) {
    launch(classifier_forward_kernel, shape.batch, kBlockThreads, shared_bytes(shape, kChunk), exec.stream, shape, x,
           batch_norm, running, weight, bias, pooled, logits);
}

template <class Exec>
size_t classifier_backward_scratch_floats(const Exec&, const ClassifierShape& shape) {
    return static_cast<size_t>(backward_blocks(shape)) * partial_floats(shape);
}

template <class Exec>
void classifier_backward(const Exec& exec, const ClassifierShape& shape, const ClassifierBackward& b,
                         const SumScratch& scratch) {
    launch(classifier_backward_kernel, backward_blocks(shape), kBlockThreads, shared_bytes(shape, 2 * kChunk),
           exec.stream, shape, b, scratch);
}

template void classifier_forward(const Cuda&, const ClassifierShape&, const bfloat16*, const BatchNormInput&,
                                 const RunningStats&, const float*, const float*, float*, float*);
template size_t classifier_backward_scratch_floats(const Cuda&, const ClassifierShape&);
template void classifier_backward(const Cuda&, const ClassifierShape&, const ClassifierBackward&, const SumScratch&);

}  // namespace residual::kernels
