// The only way in which blocks of one grid pass data to each other: every block publishes its part, and the last one to
// arrive reads all parts, without a second launch. The emulator checks the order of these accesses.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace residual::kernels {

// Stores a value for another block. Until the kernel ends, *target must be accessed by publish and read_published only.
// T: 4, 8 or 16 bytes, of a type that __stcg supports.
template <class T>
__device__ void publish(T* target, const T& value) {
    __stcg(target, value);
}

// What another block has published, after last_to_arrive returned true. Several loads can be in flight. They bypass the
// SM's L1 cache, so that they do not depend on a fence to discard what it has cached.
template <class T>
__device__ T read_published(const T* source) {
    return __ldcg(source);
}

// To be called by all threads of a block once its part is published. Returns true, for all its threads, in the last of
// `count` blocks to call. `ticket` is zero before and after; only these calls access it.
__device__ inline bool last_to_arrive(uint32_t* ticket, uint32_t count) {
    // The threads' stores must be visible before the block is counted.
    __threadfence();
    __syncthreads();
    int last = 0;
    if (threadIdx.x == 0 && atomicAdd(ticket, 1u) == count - 1) {
        *ticket = 0;
        last = 1;
    }
    last = __syncthreads_or(last);
    // The last block's loads must follow the count.
    if (last != 0) __threadfence();
    return last != 0;
}

}  // namespace residual::kernels
