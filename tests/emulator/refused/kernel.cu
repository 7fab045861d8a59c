// Compiled once for each value of REFUSED. 0 is the control and compiles; the others use features that the emulator
// does not support and must not compile.
#include "kernels/cuda/launch.h"

__global__ void kernel([[maybe_unused]] float* x, [[maybe_unused]] int* n) {
#if REFUSED == 0
    atomicAdd(n, 1);
#elif REFUSED == 1
    atomicAdd(x, 1.0f);
#elif REFUSED == 2
    __shared__ float values[32];
    values[threadIdx.x] = *x;
#elif REFUSED == 3
    asm volatile("mov.u32 %0, %%laneid;" : "=r"(*n));
#elif REFUSED == 4
    *n = static_cast<int>(__activemask());
#elif REFUSED == 5
    threadIdx.x = 0;
#elif REFUSED == 6
    *x = __shfl_xor(*x, 1);
#elif REFUSED == 7
    kernel<<<1, 1> > >(x, n);
#elif REFUSED == 8
    *x = __expf(*x);
#endif
}
