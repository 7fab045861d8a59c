// Windows of dy and p in shared memory: copied asynchronously, then transformed in place, each chunk by the thread that
// copied it.
#pragma once

#include "kernels/cuda/gemm_tile.h"

namespace residual::kernels {

// Rows x Columns pixels of each of Images images, kPitch<C> elements apart.
template <int Rows, int Columns, int Images>
struct Window {
    static constexpr int kRows = Rows, kColumns = Columns, kImages = Images, kPixels = Images * Rows * Columns;

    int64_t image;  // the first one
    int top, left;  // of the window in each image; may be outside it
};

// The dimensions of an NHWC tensor, of which a window has C channels.
struct Images {
    int batch, height, width, channels;
};

struct WindowChunk {
    int element, channel;  // in shared memory; first channel
    bool inside;           // the window and an image
    int64_t offset;        // in the tensor
};

template <int C, class W>
__device__ WindowChunk window_chunk(const W& window, const Images& p, int i) {
    const int pixel = i / (C / kChunk), channel = i % (C / kChunk) * kChunk;
    const int64_t image = window.image + pixel / (W::kRows * W::kColumns);
    const int row = window.top + pixel / W::kColumns % W::kRows, column = window.left + pixel % W::kColumns;
    const bool inside = pixel < W::kPixels && row >= 0 && row < p.height && column >= 0 && column < p.width &&
                        (W::kImages == 1 || image < p.batch);
    return {pixel * kPitch<C> + channel, channel, inside,
            ((image * p.height + row) * p.width + column) * p.channels + channel};
}

// Starts the copies of the window's chunks, and zeroes those outside the image. `source` points to the first channel of
// the window in the tensor.
template <int C, class W>
__device__ void start_window(bfloat16* target, const W& window, const Images& images, const bfloat16* source) {
#pragma unroll 1
    for (int i = threadIdx.x; i < W::kPixels * (C / kChunk); i += kTileThreads) {
        const WindowChunk chunk = window_chunk<C>(window, images, i);
        if (chunk.inside) {
            copy_async(target + chunk.element, source + chunk.offset);
        } else {
            store_chunk(target + chunk.element, zero_chunk());
        }
    }
}

// Turns the copied x into p.
template <int C, class W>
__device__ void normalise_window(bfloat16* target, const W& window, const Images& images,
                                 const BatchNormScale* batch_norm) {
#pragma unroll 1
    for (int i = threadIdx.x; i < W::kPixels * (C / kChunk); i += kTileThreads) {
        const WindowChunk chunk = window_chunk<C>(window, images, i);
        if (!chunk.inside) continue;
        store_chunk(target + chunk.element, normalise(load_chunk(target + chunk.element), batch_norm + chunk.channel));
    }
}

// Waits for the copies of dy and adds the contribution of the gradients of y's moments. y is loaded into registers,
// Unroll chunks at a time, the first of them while the copies are in flight.
template <int C, int Unroll, class W>
__device__ void add_moments_gradient(bfloat16* target, const W& window, const Images& images, const bfloat16* y,
                                     const MomentsSlope* slope) {
#pragma unroll 1
    for (int first = threadIdx.x; first < W::kPixels * (C / kChunk); first += Unroll * kTileThreads) {
        Chunk loaded[Unroll];
#pragma unroll
        for (int k = 0; k < Unroll; ++k) {
            const WindowChunk chunk = window_chunk<C>(window, images, first + k * kTileThreads);
            if (chunk.inside) loaded[k] = load_chunk(y + chunk.offset);
        }
        wait_for_copies();
#pragma unroll
        for (int k = 0; k < Unroll; ++k) {
            const WindowChunk chunk = window_chunk<C>(window, images, first + k * kTileThreads);
            if (!chunk.inside) continue;
            bfloat16* place = target + chunk.element;
            store_chunk(place, whole_gradient(load_chunk(place), loaded[k], slope + chunk.channel));
        }
    }
}

}  // namespace residual::kernels
