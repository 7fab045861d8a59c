// The CPU backend checks the available memory before it allocates.
#include <dnnl.hpp>
#include <new>

#include "engine/backend/backend.h"
#include "engine/backend/out_of_memory.h"
#include "engine/core/host_memory.h"
#include "tests/catch.h"

using namespace residual;

TEST_CASE("an allocation beyond the available memory is rejected with size, limit and remedy", "[backend]") {
    // Nearly all memory: Linux would overcommit it, although part of it is in use.
    const auto bytes = static_cast<int64_t>(host_memory().total - (uint64_t{16} << 20));
    const auto cpu = make_cpu_backend();
    CHECK_THROWS_AS(cpu->empty({bytes}, DType::kUInt8), Error);
    CHECK_THROWS_WITH(cpu->empty({bytes}, DType::kUInt8), ContainsSubstring("out of memory: cannot allocate ") &&
                                                              ContainsSubstring("MiB of ") &&
                                                              ContainsSubstring("are free: "));
    CHECK(cpu->empty({1 << 20}, DType::kUInt8).defined());
}

TEST_CASE("out-of-memory errors of the libraries are recognised", "[backend]") {
    CHECK(is_out_of_host_memory(std::bad_alloc()));
    CHECK(is_out_of_host_memory(std::bad_array_new_length()));
    CHECK(is_out_of_host_memory(dnnl::error(dnnl_out_of_memory, "could not create a memory object")));
    CHECK_FALSE(is_out_of_host_memory(dnnl::error(dnnl_unimplemented, "could not create a primitive")));
    CHECK_FALSE(is_out_of_host_memory(Error("out of memory")));
}
