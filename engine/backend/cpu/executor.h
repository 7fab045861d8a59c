// Runs oneDNN primitives on tensors of the engine.
#pragma once

#include <unordered_map>

#include "engine/backend/backend.h"
#include "engine/backend/cpu/onednn.h"

namespace residual::onednn {

using Arguments = std::unordered_map<int, dnnl::memory>;

inline dnnl::memory::data_type data_type(DType dtype) {
    RESIDUAL_ASSERT(dtype == DType::kFloat32 || dtype == DType::kBFloat16);
    return dtype == DType::kFloat32 ? dnnl::memory::data_type::f32 : dnnl::memory::data_type::bf16;
}

class Executor {
  public:
    explicit Executor(Backend& backend) : backend_(backend), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {}

    const dnnl::engine& engine() const { return engine_; }

    // The tensor's memory interpreted with `layout`, which must fit in it.
    dnnl::memory wrap(const dnnl::memory::desc& layout, const Tensor& x) const {
        RESIDUAL_ASSERT(layout.get_size() <= x.bytes());
        return {layout, engine_, x.data()};
    }

    Tensor bytes(size_t count) const { return backend_.empty({static_cast<int64_t>(count)}, DType::kUInt8); }

    // Runs `primitive` to completion, with scratch memory from the backend's arena.
    void run(const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad, Arguments arguments) {
        const Tensor scratch = bytes(scratchpad.get_size());
        arguments.emplace(DNNL_ARG_SCRATCHPAD, wrap(scratchpad, scratch));
        primitive.execute(stream_, arguments);
        stream_.wait();
    }

  private:
    Backend& backend_;
    dnnl::engine engine_;
    dnnl::stream stream_;
};

}  // namespace residual::onednn
