// The interface of a device: memory, and the operations from which everything else is composed.
//
// Activations are NHWC, float32 or bfloat16; statistics, batch norm parameters, the classifier's matrix product and
// weight gradients are float32. The caller allocates outputs, which are overwritten completely, and has checked all
// shapes. Operations run in call order; on a GPU a call may return before its operation has finished.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "engine/backend/fused.h"
#include "engine/backend/params.h"
#include "engine/backend/progress_counter.h"
#include "kernels/augment.h"
#include "kernels/metrics.h"

namespace residual {

// Recorded work. replay() queues all of it again.
class Recording {
  public:
    virtual ~Recording() = default;
    virtual void replay() = 0;
};

enum class DeviceType { kCpu, kCuda };

class Backend {
  public:
    explicit Backend(std::shared_ptr<MemorySource> source)
        : source_(std::move(source)), arena_(std::make_shared<Arena>(source_)) {}
    virtual ~Backend() = default;

    // ---- memory
    Tensor empty(const Shape& shape, DType dtype) { return Tensor(arena_, shape, dtype); }
    Tensor zeros(const Shape& shape, DType dtype) {
        Tensor x = empty(shape, dtype);
        fill_zero(x);
        return x;
    }
    // Copies `shape.elements()` values from host memory.
    template <class T>
    Tensor from_host(const T* values, const Shape& shape) {
        Tensor x = empty(shape, DTypeOf<T>::value);
        upload(values, x);
        return x;
    }
    // The constant 1: [1] float32.
    virtual const Tensor& one() const = 0;
    const Arena& arena() const { return *arena_; }
    std::shared_ptr<Arena> new_arena() const { return std::make_shared<Arena>(source_); }
    // Allocates from `arena`, which must be on this device, from now on; returns the previous arena.
    std::shared_ptr<Arena> exchange_arena(std::shared_ptr<Arena> arena) {
        return std::exchange(arena_, std::move(arena));
    }

    virtual DeviceType device() const = 0;
    // For logs: "NVIDIA H200, cuDNN 9.13" or "CPU, 2 threads (all CPUs), avx512 kernels, oneDNN 2.6 (AVX-512)".
    virtual std::string description() const = 0;
    // Whether bfloat16 is the device's preferred activation type, because its matrix units support it.
    virtual bool prefers_bfloat16() const = 0;
    // Copies to.bytes() bytes; `host` may be reused on return.
    virtual void upload(const void* host, const Tensor& to) = 0;
    virtual void download(const Tensor& from, void* host) = 0;    // Copies from.bytes() bytes and waits.
    virtual void copy(const Tensor& from, const Tensor& to) = 0;  // Same size, same device.
    virtual void fill_zero(const Tensor& x) = 0;
    virtual void synchronize() = 0;
    // Counts this backend's work; the backend must outlive the counter.
    virtual std::unique_ptr<ProgressCounter> make_progress_counter() { return std::make_unique<HostProgressCounter>(); }

    // ---- convolution and matrix product
    virtual void conv2d(const Conv2dParams& p, const Tensor& x, const Tensor& w, const Tensor& y) = 0;
    virtual void conv2d_backward_data(const Conv2dParams& p, const Tensor& dy, const Tensor& w, const Tensor& dx) = 0;
    // dw is always float32.
    virtual void conv2d_backward_weight(const Conv2dParams& p, const Tensor& x, const Tensor& dy, const Tensor& dw) = 0;
    // c [m, n] = op(a) [m, k] * op(b) [k, n], float32; op transposes if the flag is set.
    virtual void matmul(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& c) = 0;
    virtual void add_bias(const Tensor& bias, const Tensor& y) = 0;   // y [rows, n] += bias [n], float32
    virtual void column_sum(const Tensor& x, const Tensor& sum) = 0;  // sum [n] over the rows of x [rows, n], float32

    // ---- batch norm (Ioffe & Szegedy 2015); the last axis is the channel
    virtual void batch_stats(const Tensor& x, const BatchStats& stats) = 0;
    // Gradient of batch_stats(): dx = dmean / rows + 2 * dvariance * (x - mean) / rows. `accumulate` adds to dx.
    virtual void batch_stats_backward(const Tensor& x, const MomentsGradient& gradient, const Tensor& dx,
                                      bool accumulate) = 0;
    // y += residual, rounded to the type of y; then the statistics of the rounded y.
    virtual void add_batch_stats(const Tensor& residual, const Tensor& y, const BatchStats& stats) = 0;
    // y = [relu](batch_norm(x) [+ residual]). residual may be undefined; y may be x.
    virtual void batch_norm(const BatchNormParams& p, const Tensor& x, const Tensor& residual, const Tensor& y) = 0;
    // Gradient of batch_norm() without residual. If gradients.dmean is defined, dx is the gradient with the statistics
    // held fixed, and dmean and dvariance are written. Otherwise p.stats must be the statistics of x, and dx includes
    // the gradient through them. `accumulate` adds to dx.
    virtual void batch_norm_backward(const BatchNormParams& p, const Tensor& x, const Tensor& dy, const Tensor& dx,
                                     bool accumulate, const BatchNormGradients& gradients) = 0;
    // In training: batch_norm() with the statistics of x, which also update the running statistics, if any. p.stats is
    // not used. A device may override this and its backward with one library operation each.
    virtual SavedStats batch_norm_training(const BatchNormParams& p, const RunningUpdate& running, const Tensor& x,
                                           const Tensor& residual, const Tensor& y);
    // Gradient of batch_norm_training(), through the statistics. dresidual receives the gradient of the sum with the
    // residual; undefined: there was no residual, or no ReLU, so that it is dy. `accumulate` adds to dx.
    virtual void batch_norm_training_backward(const BatchNormParams& p, const SavedStats& saved, const Tensor& x,
                                              const Tensor& y, const Tensor& dy, const Tensor& dx, bool accumulate,
                                              const Tensor& dresidual, const BatchNormGradients& gradients);
    // Whether batch_norm_training() is faster than batch_norm() with statistics from the operation that computed x.
    virtual bool prefers_batch_norm_training() const { return false; }
    // running = decay * running + (1 - decay) * batch, with the unbiased batch variance over `rows` per channel.
    virtual void update_running(const BatchStats& batch, int64_t rows, float decay, const BatchStats& running) = 0;

    // ---- elementwise operations and pooling
    virtual void relu(const Tensor& x, const Tensor& y) = 0;
    virtual void relu_backward(const Tensor& y, const Tensor& dy, const Tensor& dx) = 0;
    virtual void add(const Tensor& a, const Tensor& b, const Tensor& sum) = 0;       // sum may be a or b.
    virtual void scale(const Tensor& x, const Tensor& factor, const Tensor& y) = 0;  // y = x * factor [1], float32
    virtual void cast(const Tensor& x, const Tensor& y) = 0;                         // float32 <-> bfloat16
    virtual void shortcut(ShortcutKind kind, const Tensor& x, const Tensor& y) = 0;
    virtual void shortcut_backward(ShortcutKind kind, const Tensor& dy, const Tensor& dx) = 0;
    virtual void global_average_pool(const Tensor& x, const Tensor& y) = 0;  // [n, h, w, c] -> [n, c] float32
    virtual void global_average_pool_backward(const Tensor& dy, const Tensor& dx) = 0;

    // ---- loss, metrics, update, data
    // logits [batch, classes], labels [batch] int32 -> mean loss [1], dlogits, correct [1] int32. The batch is added to
    // `totals`, the bytes of one kernels::Metrics. dlogits and totals may be undefined.
    virtual void softmax_cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor& loss,
                                       const Tensor& dlogits, const Tensor& correct, const Tensor& totals) = 0;
    // One update; increments p.step. `copy` receives the new weights as bfloat16. Adds the penalty of the old
    // weights, times `batch`, to `totals` and records there the number of the first update whose loss or new weights
    // are not finite. copy and totals may be undefined.
    virtual void sgd_momentum(const SgdParams& p, const Tensor& gradient, const Tensor& velocity, const Tensor& weight,
                              const Tensor& copy, int batch, const Tensor& totals) = 0;
    // One batch from a data set's records; see kernels/augment.h. step: [1] int64 on the device.
    virtual void gather_augment(const kernels::AugmentShape& shape, const Tensor& records, const Tensor& mean,
                                const Tensor& step, const Tensor& images, const Tensor& labels) = 0;

    // ---- fused operations and recorded steps
    // The device's fused operations, or null if it has none.
    FusedOps* fused() const { return fused_.get(); }
    // Must be called before the first operation. `fused` operates on tensors of this backend.
    void set_fused(std::unique_ptr<FusedOps> fused) { fused_ = std::move(fused); }
    virtual bool can_record() const { return false; }
    // Records the operations that `work` queues without running them. `work` must neither wait for the device nor
    // access host memory, and the memory of its tensors must not be reused while the recording exists.
    virtual std::unique_ptr<Recording> record(const std::function<void()>&) {
        RESIDUAL_ASSERT(can_record());
        return nullptr;
    }

  private:
    std::shared_ptr<MemorySource> source_;
    std::shared_ptr<Arena> arena_;
    std::unique_ptr<FusedOps> fused_;
};

// Calls set_cpu_threads(). The project's kernels use the fastest instructions that the CPU has, or those that the
// environment variable RESIDUAL_ISA names: baseline, avx2 or avx512. Throws InputError if the CPU lacks them.
std::unique_ptr<Backend> make_cpu_backend();

// How cuDNN runs an operation.
struct PlanChoice {
    std::string operation;  // "convolution forward, x [128, 32, 32, 16], ..."
    std::string plan;       // Engine and workspace; empty: cuDNN has none.

    // "cuDNN OPERATION: PLAN"
    std::string text() const { return "cuDNN " + operation + ": " + (plan.empty() ? "no plan" : plan); }
};
using PlanLog = std::function<void(const PlanChoice&)>;

struct CudaOptions {
    bool deterministic = true;  // Use only algorithms that give the same bits on every run.
    bool allow_tf32 = false;    // Allow the operands of float32 products to be rounded to TF32 (10 mantissa bits).
    bool fused = false;         // Provide Backend::fused(), for bfloat16.
    int device = 0;             // The number of the GPU, as CUDA counts them.
    PlanLog log = {};           // Called when an operation of cuDNN first runs.
};

// The GPU, which becomes the current device of this thread; only this thread may use the backend. Throws InputError
// with why_no_cuda() if the GPU cannot be used.
std::unique_ptr<Backend> make_cuda_backend(const CudaOptions& options);
// Why this GPU cannot be used, and what to do: CUDA support in the build, a driver, a newer driver or the GPU is
// missing or not suitable. Empty if it can be used; it is then the current device of this thread.
std::string why_no_cuda(int device = 0);

}  // namespace residual
