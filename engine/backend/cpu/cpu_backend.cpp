#include "engine/backend/cpu/cpu_backend.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "engine/backend/build_info.h"
#include "engine/core/host_memory.h"
#include "kernels/host_targets.h"

namespace residual {

namespace {

class HostMemory final : public MemorySource {
  public:
    void* allocate(size_t bytes) override {
        return bytes <= host_memory().free ? std::aligned_alloc(Arena::kAlignment, bytes) : nullptr;
    }
    void release(void* pointer, size_t) noexcept override { std::free(pointer); }
    std::string remedy() const override { return host_memory_advice(host_memory()); }
};

bool cpu_has(dnnl::cpu_isa isa) {
    const auto wanted = static_cast<int>(isa);
    return (static_cast<int>(dnnl::get_effective_cpu_isa()) & wanted) == wanted;
}

std::string isa_name() {
    if (cpu_has(dnnl::cpu_isa::avx512_core)) return "AVX-512";
    if (cpu_has(dnnl::cpu_isa::avx2)) return "AVX2";
    return "SSE4.1";
}

}  // namespace

template <class Host>
CpuBackend<Host>::CpuBackend()
    : KernelBackend<Host>(std::make_unique<HostMemory>(), Host{}),
      threads_(set_cpu_threads()),
      executor_(*this),
      convolutions_(executor_),
      native_bfloat16_(cpu_has(dnnl::cpu_isa::avx512_core_bf16)) {}

std::string onednn_version() {
    const dnnl_version_t* version = dnnl_version();
    return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
}

template <class Host>
std::string CpuBackend<Host>::description() const {
    return fmt::format("CPU, {} thread{} ({}), {} kernels, oneDNN {} ({})", threads_.count,
                       threads_.count == 1 ? "" : "s", threads_.reason, name_of(Host{}), onednn_version(), isa_name());
}

template <class Host>
void CpuBackend<Host>::upload(const void* host, const Tensor& to) {
    std::memcpy(to.data(), host, to.bytes());
}

template <class Host>
void CpuBackend<Host>::download(const Tensor& from, void* host) {
    std::memcpy(host, from.data(), from.bytes());
}

template <class Host>
void CpuBackend<Host>::copy(const Tensor& from, const Tensor& to) {
    RESIDUAL_ASSERT(from.bytes() == to.bytes());
    std::memcpy(to.data(), from.data(), from.bytes());
}

template <class Host>
void CpuBackend<Host>::fill_zero(const Tensor& x) {
    std::memset(x.data(), 0, x.bytes());
}

template <class Host>
Tensor CpuBackend<Host>::as_float(const Tensor& x) {
    Tensor wide = this->empty(x.shape(), DType::kFloat32);
    this->cast(x, wide);
    return wide;
}

template <class Host>
void CpuBackend<Host>::conv2d(const Conv2dParams& p, const Tensor& x, const Tensor& w, const Tensor& y) {
    if (supports(p, x.dtype())) {
        convolutions_.get(p, x.dtype()).forward(x, w, y);
        return;
    }
    const Tensor wide = this->empty(y.shape(), DType::kFloat32);
    convolutions_.get(p, DType::kFloat32).forward(as_float(x), as_float(w), wide);
    this->cast(wide, y);
}

template <class Host>
void CpuBackend<Host>::conv2d_backward_data(const Conv2dParams& p, const Tensor& dy, const Tensor& w,
                                            const Tensor& dx) {
    if (supports(p, dy.dtype())) {
        convolutions_.get(p, dy.dtype()).backward_data(dy, w, dx);
        return;
    }
    const Tensor wide = this->empty(dx.shape(), DType::kFloat32);
    convolutions_.get(p, DType::kFloat32).backward_data(as_float(dy), as_float(w), wide);
    this->cast(wide, dx);
}

template <class Host>
void CpuBackend<Host>::conv2d_backward_weight(const Conv2dParams& p, const Tensor& x, const Tensor& dy,
                                              const Tensor& dw) {
    if (supports(p, x.dtype())) {
        convolutions_.get(p, x.dtype()).backward_weight(x, dy, dw);
    } else {
        convolutions_.get(p, DType::kFloat32).backward_weight(as_float(x), as_float(dy), dw);
    }
}

template <class Host>
void CpuBackend<Host>::matmul(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, const Tensor& c) {
    using dnnl::memory;
    const auto description = [](const Tensor& x, bool transpose) {
        const int64_t rows = x.shape()[0], columns = x.shape()[1];
        return transpose ? memory::desc({columns, rows}, memory::data_type::f32, memory::dims{1, columns})
                         : memory::desc({rows, columns}, memory::data_type::f32, memory::dims{columns, 1});
    };
    const auto da = description(a, transpose_a), db = description(b, transpose_b), dc = description(c, false);
    const auto product = onednn::describe<dnnl::matmul>(executor_.engine(), da, db, dc);
    executor_.run(dnnl::matmul(product), product.scratchpad_desc(),
                  {{DNNL_ARG_SRC, executor_.wrap(da, a)},
                   {DNNL_ARG_WEIGHTS, executor_.wrap(db, b)},
                   {DNNL_ARG_DST, executor_.wrap(dc, c)}});
}

std::unique_ptr<Backend> make_cpu_backend() {
    const char* wanted = std::getenv("RESIDUAL_ISA");
    std::unique_ptr<Backend> (*make)() = nullptr;
    std::string choices;
    kernels::for_each_host([&]<class Host>(Host host) {
        choices += fmt::format("{}{}", choices.empty() ? "" : ", ", name_of(host));
        if (wanted != nullptr && std::string_view(wanted) != name_of(host)) return;
        make = []() -> std::unique_ptr<Backend> { return std::make_unique<CpuBackend<Host>>(); };
    });
    if (make == nullptr) {
        throw InputError(fmt::format("RESIDUAL_ISA is \"{}\"; this CPU can run: {}", wanted, choices));
    }
    return make();
}

}  // namespace residual
