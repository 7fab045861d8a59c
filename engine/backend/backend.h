// The contract between the engine and a device: memory, and the operations that everything else is composed of.
//
// Activations are NHWC, float32 or bfloat16; statistics, parameters of batch norms, the classifier's matrix product and
// gradients of weights are float32. Outputs are allocated by the caller and written completely. Operations run in the
// order of the calls; on a GPU they may still be running when a call returns. Callers have checked shapes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "engine/backend/fused.h"
#include "engine/backend/params.h"
#include "kernels/augment.h"
#include "kernels/metrics.h"

namespace residual {

// Work that was recorded once and can be queued again, as it is, by one call.
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
    Tensor zeros(const Shape& shape, DType dtype);
    // A tensor holding a copy of `shape.elements()` values in host memory.
    template <class T>
    Tensor from_host(const T* values, const Shape& shape);
    // A constant: [1] float32 that holds 1.
    virtual const Tensor& one() const = 0;
    const Arena& arena() const { return *arena_; }
    std::shared_ptr<Arena> new_arena() const { return std::make_shared<Arena>(source_); }
    // From now on tensors come from `arena`, which must be of this device; returns the one before.
    std::shared_ptr<Arena> exchange_arena(std::shared_ptr<Arena> arena) {
        return std::exchange(arena_, std::move(arena));
    }

    virtual DeviceType device() const = 0;
    // For people: "NVIDIA H200, cuDNN 9.13" or "CPU, 2 threads, oneDNN 2.6 (AVX-512)".
    virtual std::string description() const = 0;
    // Whether products of bfloat16 run at full speed here.
    virtual bool prefers_bfloat16() const = 0;
    virtual void upload(const void* host, const Tensor& to) = 0;  // Copies to.bytes(); host may be reused at once.
    virtual void download(const Tensor& from, void* host) = 0;    // Copies from.bytes() and waits for them.
    virtual void copy(const Tensor& from, const Tensor& to) = 0;  // Same bytes on the same device.
    virtual void fill_zero(const Tensor& x) = 0;
    virtual void synchronize() = 0;

    // ---- convolution and matrix product
    virtual void conv2d(const Conv2dParams& p, const Tensor& x, const Tensor& w, const Tensor& y) = 0;
    virtual void conv2d_backward_data(const Conv2dParams& p, const Tensor& dy, const Tensor& w, const Tensor& dx) = 0;
    // dw is float32 whatever the type of x and dy.
    virtual void conv2d_backward_weight(const Conv2dParams& p, const Tensor& x, const Tensor& dy, const Tensor& dw) = 0;
    // c [m, n] = op(a) [m, k] * op(b) [k, n], float32; op transposes where the flag is set.
    virtual void matmul(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& c) = 0;
    virtual void add_bias(const Tensor& bias, const Tensor& y) = 0;   // y [rows, n] += bias [n], float32
    virtual void column_sum(const Tensor& x, const Tensor& sum) = 0;  // sum [n] of x [rows, n], float32

    // ---- batch norm (Ioffe & Szegedy 2015); the last axis is the channel
    virtual void batch_stats(const Tensor& x, const BatchStats& stats) = 0;
    // Gradient of batch_stats(): dx = dmean / rows + 2 * dvariance * (x - mean) / rows. `accumulate` adds to dx.
    virtual void batch_stats_backward(const Tensor& x, const MomentsGradient& gradient, const Tensor& dx,
                                      bool accumulate) = 0;
    // y += residual, then the statistics of y as stored.
    virtual void add_batch_stats(const Tensor& residual, const Tensor& y, const BatchStats& stats) = 0;
    // y = [relu](batch_norm(x) [+ residual]); residual may be undefined; y may be x.
    virtual void batch_norm(const BatchNormParams& p, const Tensor& x, const Tensor& residual, const Tensor& y) = 0;
    // Gradient of batch_norm() without residual. Without gradients.dmean, p.stats must be those of x, and dx is whole:
    // it goes through them as well. With it, dx is the gradient with the statistics held fixed, and dmean and dvariance
    // are theirs. `accumulate` adds to dx.
    virtual void batch_norm_backward(const BatchNormParams& p, const Tensor& x, const Tensor& dy, const Tensor& dx,
                                     bool accumulate, const BatchNormGradients& gradients) = 0;
    // In training: p.stats = the statistics of x, which `running` follows (undefined: nothing does), then batch_norm().
    // A device may do it in one operation of a library.
    virtual void batch_norm_training(const BatchNormParams& p, const RunningUpdate& running, const Tensor& x,
                                     const Tensor& residual, const Tensor& y);
    // running = decay * running + (1 - decay) * batch, the variance made unbiased with `rows` per channel.
    virtual void update_running(const BatchStats& batch, int64_t rows, float decay, const BatchStats& running) = 0;

    // ---- element by element, and pools
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
    // logits [batch, classes], labels [batch] int32 -> mean loss [1], dlogits (undefined: not wanted), correct [1]
    // int32. totals, the bytes of one kernels::Metrics, grows by the batch (undefined: not wanted).
    virtual void softmax_cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor& loss,
                                       const Tensor& dlogits, const Tensor& correct, const Tensor& totals) = 0;
    // One update; p.step grows by one. `copy` (undefined: none) receives the new weights as bfloat16. totals
    // (undefined: none) grows by the penalty of the weights before the update, for `batch` images, and notes the
    // first step that leaves a loss or a weight that is not finite.
    virtual void sgd_momentum(const SgdParams& p, const Tensor& gradient, const Tensor& velocity, const Tensor& weight,
                              const Tensor& copy, int batch, const Tensor& totals) = 0;
    // One batch from a data set's records: see kernels/augment.h. step: [1] int64 on the device.
    virtual void gather_augment(const kernels::AugmentShape& shape, const Tensor& records, const Tensor& mean,
                                const Tensor& step, const Tensor& images, const Tensor& labels) = 0;

    // ---- operations in one pass, and steps without the host
    // What the device does in fewer passes; null: everything is composed.
    FusedOps* fused() const { return fused_.get(); }
    // To be called before the first operation. `fused` works on tensors of this backend.
    void set_fused(std::unique_ptr<FusedOps> fused) { fused_ = std::move(fused); }
    // Whether record() can be used.
    virtual bool can_record() const { return false; }
    // Records what `work` queues, which does not run then. `work` must not wait for the device, nor read or write
    // memory of the host, and the memory of its tensors must not be used for anything else as long as the recording is.
    virtual std::unique_ptr<Recording> record(const std::function<void()>& work);

  private:
    std::shared_ptr<MemorySource> source_;
    std::shared_ptr<Arena> arena_;
    std::unique_ptr<FusedOps> fused_;
};

inline void Backend::batch_norm_training(const BatchNormParams& p, const RunningUpdate& running, const Tensor& x,
                                         const Tensor& residual, const Tensor& y) {
    batch_stats(x, p.stats);
    if (running.running.mean.defined()) {
        update_running(p.stats, x.elements() / x.shape()[-1], running.decay, running.running);
    }
    batch_norm(p, x, residual, y);
}

inline std::unique_ptr<Recording> Backend::record(const std::function<void()>&) {
    RESIDUAL_ASSERT(can_record());
    return nullptr;
}

inline Tensor Backend::zeros(const Shape& shape, DType dtype) {
    Tensor x = empty(shape, dtype);
    fill_zero(x);
    return x;
}

template <class T>
Tensor Backend::from_host(const T* values, const Shape& shape) {
    Tensor x = empty(shape, DTypeOf<T>::value);
    upload(values, x);
    return x;
}

// The CPU: every operation, float32 and bfloat16.
std::unique_ptr<Backend> make_cpu_backend();

struct CudaOptions {
    bool deterministic = true;  // Only algorithms that give the same bits on every run.
    bool allow_tf32 = false;    // Products of float32 may be rounded to TF32 (10 bits of mantissa).
    bool fused = false;         // Backend::fused(), for bfloat16.
};

// The first CUDA device. Throws InputError that says what is missing: a build with CUDA, a driver, a newer driver, a
// device.
std::unique_ptr<Backend> make_cuda_backend(const CudaOptions& options);
// "" where a CUDA device can be used, else what is missing.
std::string why_no_cuda();

}  // namespace residual
