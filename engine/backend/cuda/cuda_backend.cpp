#include "engine/backend/cuda/cuda_backend.h"
#include "engine/backend/build_info.h"

#include <fmt/format.h>

#include "engine/backend/cuda/event_counter.h"
#include "engine/backend/cuda/fused.h"
#include "engine/backend/cuda/memory.h"
#include "engine/backend/cuda/recording.h"

namespace residual {

using cuda::Slot;
using Direction = cuda::ConvolutionGraph::Direction;
using Pass = cuda::BatchNormGraph::Pass;

namespace {

cudaDeviceProp current_device_properties() {
    int device = 0;
    CUDA_CALL(cudaGetDevice(&device));
    cudaDeviceProp properties{};
    CUDA_CALL(cudaGetDeviceProperties(&properties, device));
    return properties;
}

// x is NHWC, or [batch, channels].
cuda::BatchNormGraph batch_norm_graph(cuda::BatchNormGraph::Pass pass, const Tensor& x, bool relu, bool residual,
                                      bool running) {
    const Shape& shape = x.shape();
    const bool is_image = shape.rank() == 4;
    const auto at = [&](int axis) { return static_cast<int>(shape[axis]); };
    const auto rows = static_cast<int>(x.elements() / shape[-1]);
    return {.pass = pass,
            .batch = is_image ? at(0) : rows,
            .height = is_image ? at(1) : 1,
            .width = is_image ? at(2) : 1,
            .channels = at(-1),
            .dtype = x.dtype(),
            .relu = relu,
            .residual = residual,
            .running = running};
}

}  // namespace

CudaBackend::CudaBackend(const CudaOptions& options, cuda::Stream stream)
    : KernelBackend(std::make_unique<cuda::DeviceMemory>(), kernels::Cuda{stream.get()}),
      stream_(std::move(stream)),
      properties_(current_device_properties()),
      cudnn_(cuda::make_cudnn(stream_)),
      cublas_(cuda::make_cublas(stream_)),
      graphs_(*this, cudnn_.get(), stream_.get(), options),
      matmul_(*this, cublas_.get(), options, properties_.major),
      deterministic_(options.deterministic) {
    if (options.fused) {
        set_fused(std::make_unique<cuda::CudaFusedOps>(*this, exec(), tickets(), properties_.sharedMemPerBlockOptin));
    }
}

std::string CudaBackend::description() const {
    int driver = 0;
    CUDA_CALL(cudaDriverGetVersion(&driver));
    const std::string limits = fused() != nullptr ? fused()->limits() : "";
    return fmt::format("{} (compute capability {}.{}), driver for CUDA {}.{}, cuDNN {}{}{}", properties_.name,
                       properties_.major, properties_.minor, driver / 1000, driver % 1000 / 10, cudnn_version(),
                       limits.empty() ? "" : "; ", limits);
}

// Waits, because a copy from pageable host memory may still be in progress when the call returns.
void CudaBackend::upload(const void* host, const Tensor& to) {
    CUDA_CALL(cudaMemcpyAsync(to.data(), host, to.bytes(), cudaMemcpyHostToDevice, stream_.get()));
    synchronize();
}

void CudaBackend::download(const Tensor& from, void* host) {
    CUDA_CALL(cudaMemcpyAsync(host, from.data(), from.bytes(), cudaMemcpyDeviceToHost, stream_.get()));
    synchronize();
}

void CudaBackend::copy(const Tensor& from, const Tensor& to) {
    RESIDUAL_ASSERT(from.bytes() == to.bytes());
    CUDA_CALL(cudaMemcpyAsync(to.data(), from.data(), from.bytes(), cudaMemcpyDeviceToDevice, stream_.get()));
}

void CudaBackend::fill_zero(const Tensor& x) {
    CUDA_CALL(cudaMemsetAsync(x.data(), 0, x.bytes(), stream_.get()));
}

void CudaBackend::synchronize() {
    CUDA_CALL(cudaStreamSynchronize(stream_.get()));
}

std::unique_ptr<ProgressCounter> CudaBackend::make_progress_counter() {
    return std::make_unique<cuda::EventCounter>(stream_.get());
}

std::unique_ptr<Recording> CudaBackend::record(const std::function<void()>& work) {
    return std::make_unique<cuda::GraphRecording>(stream_.get(), work);
}

void CudaBackend::run_convolution(const cuda::ConvolutionGraph& graph, const std::vector<cuda::Operand>& operands) {
    if (graphs_.run(graph, operands)) return;
    throw Error(fmt::format("cuDNN {} has no {}plan for {}{}", cudnn_version(), deterministic_ ? "deterministic " : "",
                            cuda::to_string(graph),
                            deterministic_ ? "; set train.deterministic to false to allow others" : ""));
}

void CudaBackend::conv2d(const Conv2dParams& p, const Tensor& x, const Tensor& w, const Tensor& y) {
    run_convolution({Direction::forward, p, x.dtype()},
                    {{Slot::x, x.data()}, {Slot::w, w.data()}, {Slot::y, y.data()}});
}

void CudaBackend::conv2d_backward_data(const Conv2dParams& p, const Tensor& dy, const Tensor& w, const Tensor& dx) {
    run_convolution({Direction::backward_data, p, dy.dtype()},
                    {{Slot::dy, dy.data()}, {Slot::w, w.data()}, {Slot::dx, dx.data()}});
}

// cuDNN writes the weight gradient in the type of x and dy: no engine writes float32 from bfloat16. It is summed in
// float32, rounded to bfloat16 once, and converted to float32 here.
void CudaBackend::conv2d_backward_weight(const Conv2dParams& p, const Tensor& x, const Tensor& dy, const Tensor& dw) {
    const Tensor rounded = x.dtype() == DType::kFloat32 ? dw : empty(dw.shape(), x.dtype());
    run_convolution({Direction::backward_weight, p, x.dtype()},
                    {{Slot::x, x.data()}, {Slot::dy, dy.data()}, {Slot::dw, rounded.data()}});
    if (x.dtype() != DType::kFloat32) cast(rounded, dw);
}

void CudaBackend::matmul(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& c) {
    matmul_.run(a, transpose_a, b, transpose_b, c);
}

// cuDNN does not document pointwise graphs whose output is an input.
void CudaBackend::batch_norm(const BatchNormParams& p, const Tensor& x, const Tensor& residual, const Tensor& y) {
    float epsilon = p.epsilon;
    std::vector<cuda::Operand> operands = {{Slot::x, x.data()},
                                           {Slot::mean, p.stats.mean.data()},
                                           {Slot::variance, p.stats.variance.data()},
                                           {Slot::gamma, p.gamma.data()},
                                           {Slot::beta, p.beta.data()},
                                           {Slot::epsilon, &epsilon},
                                           {Slot::y, y.data()}};
    if (residual.defined()) operands.emplace_back(Slot::residual, residual.data());
    const bool in_place = x.data() == y.data();
    if (!in_place && graphs_.run(batch_norm_graph(Pass::inference, x, p.relu, residual.defined(), false), operands)) {
        return;
    }
    KernelBackend::batch_norm(p, x, residual, y);
}

// The running statistics are updated in place, as cuDNN's older batch norm did; a [gpu] test compares them after two
// updates.
SavedStats CudaBackend::batch_norm_training(const BatchNormParams& p, const RunningUpdate& update, const Tensor& x,
                                            const Tensor& residual, const Tensor& y) {
    const BatchStats& running = update.running;
    const SavedStats saved{.mean = empty(p.gamma.shape(), DType::kFloat32),
                           .inverse_std = empty(p.gamma.shape(), DType::kFloat32)};
    float epsilon = p.epsilon, new_share = 1 - update.decay;
    std::vector<cuda::Operand> operands = {
        {Slot::x, x.data()},       {Slot::gamma, p.gamma.data()},   {Slot::beta, p.beta.data()},
        {Slot::epsilon, &epsilon}, {Slot::mean, saved.mean.data()}, {Slot::inverse_std, saved.inverse_std.data()},
        {Slot::y, y.data()}};
    if (residual.defined()) operands.emplace_back(Slot::residual, residual.data());
    if (running.mean.defined()) {
        operands.insert(operands.end(), {{Slot::new_share, &new_share},
                                         {Slot::running_mean, running.mean.data()},
                                         {Slot::running_variance, running.variance.data()},
                                         {Slot::new_running_mean, running.mean.data()},
                                         {Slot::new_running_variance, running.variance.data()}});
    }
    const auto graph = batch_norm_graph(Pass::training, x, p.relu, residual.defined(), running.mean.defined());
    if (graphs_.run(graph, operands)) return saved;
    return KernelBackend::batch_norm_training(p, update, x, residual, y);
}

// cuDNN has no plan that adds to dx.
void CudaBackend::batch_norm_training_backward(const BatchNormParams& p, const SavedStats& saved, const Tensor& x,
                                               const Tensor& y, const Tensor& dy, const Tensor& dx, bool accumulate,
                                               const Tensor& dresidual, const BatchNormGradients& gradients) {
    if (!saved.inverse_std.defined()) {
        KernelBackend::batch_norm_training_backward(p, saved, x, y, dy, dx, accumulate, dresidual, gradients);
        return;
    }
    float zero = 0;
    const Tensor whole_dx = accumulate ? empty(dx.shape(), dx.dtype()) : dx;
    std::vector<cuda::Operand> operands = {{Slot::x, x.data()},
                                           {Slot::dy, dy.data()},
                                           {Slot::mean, saved.mean.data()},
                                           {Slot::inverse_std, saved.inverse_std.data()},
                                           {Slot::gamma, p.gamma.data()},
                                           {Slot::dgamma, gradients.dgamma.data()},
                                           {Slot::dbeta, gradients.dbeta.data()},
                                           {Slot::dx, whole_dx.data()}};
    if (p.relu) operands.insert(operands.end(), {{Slot::y, y.data()}, {Slot::zero, &zero}});
    if (dresidual.defined()) operands.emplace_back(Slot::dresidual, dresidual.data());
    const auto graph = batch_norm_graph(Pass::backward, x, p.relu, dresidual.defined(), false);
    if (graphs_.run(graph, operands)) {
        if (accumulate) add(dx, whole_dx, dx);
        return;
    }
    // Only the forward had a plan, and it kept no variance.
    const BatchStats stats{saved.mean, empty(saved.mean.shape(), DType::kFloat32)};
    batch_stats(x, stats);
    KernelBackend::batch_norm_training_backward(p, {stats.mean, stats.variance}, x, y, dy, dx, accumulate, dresidual,
                                                gradients);
}

}  // namespace residual
