// Host memory limits, read from files in the format of Linux's own.
#include "engine/core/host_memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <span>
#include <string>

#include "tests/catch.h"
#include "tests/io/temporary_folder.h"

namespace {

using residual::host_memory;
using residual::MemoryLimit;

constexpr uint64_t kMiB = uint64_t{1} << 20;

class Machine {
  public:
    Machine() {
        write("meminfo", "MemTotal:        1048576 kB\nMemFree:            1024 kB\nMemAvailable:     524288 kB\n");
    }

    void write(const std::string& name, const std::string& text) const {
        const std::filesystem::path path = folder_ / name;
        std::filesystem::create_directories(path.parent_path());
        tests::write_bytes(path, std::as_bytes(std::span(text)));
    }

    MemoryLimit memory(uint64_t address_space_limit = RLIM_INFINITY) const {
        return host_memory({.meminfo = folder_ / "meminfo",
                            .process_size = folder_ / "statm",
                            .control_groups = {folder_ / "cgroup", folder_ / "groups"}},
                           address_space_limit);
    }

  private:
    tests::TemporaryFolder folder_;
};

std::string bytes(uint64_t count) {
    return std::to_string(count) + "\n";
}

}  // namespace

TEST_CASE("host memory: memory available on the machine", "[core]") {
    const Machine machine;
    CHECK(machine.memory().free == 512 * kMiB);
    CHECK(machine.memory().to_string() == "512.0 of 1024.0 MiB of the machine's memory are free");
    CHECK(residual::host_memory_advice(machine.memory()) ==
          "512.0 of 1024.0 MiB of the machine's memory are free: stop other programs");
}

TEST_CASE("host memory: the limit of a control group, version 2", "[core]") {
    const Machine machine;
    machine.write("cgroup", "0::/outer/inner\n");
    machine.write("groups/outer/inner/memory.current", bytes(100 * kMiB));
    SECTION("on the group itself") {
        machine.write("groups/outer/inner/memory.max", bytes(300 * kMiB));
        CHECK(machine.memory().free == 200 * kMiB);
        CHECK_THAT(machine.memory().to_string(),
                   ContainsSubstring("200.0 of 300.0 MiB of the control group's memory") &&
                       ContainsSubstring("outer/inner/memory.max"));
    }
    SECTION("with page cache counted as free") {
        machine.write("groups/outer/inner/memory.max", bytes(300 * kMiB));
        machine.write("groups/outer/inner/memory.stat",
                      "anon 1\ninactive_file " + bytes(30 * kMiB) + "active_file " + bytes(50 * kMiB));
        CHECK(machine.memory().free == 280 * kMiB);
    }
    SECTION("on its parent") {
        machine.write("groups/outer/inner/memory.max", "max\n");
        machine.write("groups/outer/memory.max", bytes(400 * kMiB));
        machine.write("groups/outer/memory.current", bytes(150 * kMiB));
        CHECK(machine.memory().free == 250 * kMiB);
    }
    SECTION("on the root group, as a container sees it") {
        machine.write("cgroup", "0::/\n");
        machine.write("groups/memory.max", bytes(64 * kMiB));
        machine.write("groups/memory.current", bytes(70 * kMiB));
        CHECK(machine.memory().free == 0);
    }
    SECTION("above the memory of the machine") {
        machine.write("groups/outer/inner/memory.max", bytes(4096 * kMiB));
        CHECK(machine.memory().free == 512 * kMiB);
    }
    SECTION("not set") {
        machine.write("groups/outer/inner/memory.max", "max\n");
        CHECK(machine.memory().free == 512 * kMiB);
    }
}

TEST_CASE("host memory: the limit of a control group, version 1", "[core]") {
    const Machine machine;
    machine.write("cgroup", "5:cpu,cpuacct:/elsewhere\n4:hugetlb,memory:/job\n0::/\n");
    machine.write("groups/memory/job/memory.limit_in_bytes", bytes(200 * kMiB));
    machine.write("groups/memory/job/memory.usage_in_bytes", bytes(150 * kMiB));
    machine.write("groups/memory/job/memory.stat",
                  "inactive_file 7\ntotal_inactive_file " + bytes(20 * kMiB) + "total_active_file " + bytes(10 * kMiB));
    CHECK(machine.memory().free == 80 * kMiB);
    machine.write("groups/memory/job/memory.limit_in_bytes",
                  "9223372036854771712\n");  // version 1's value for no limit
    CHECK(machine.memory().free == 512 * kMiB);
}

TEST_CASE("host memory: the limit of the address space", "[core]") {
    const Machine machine;
    machine.write("statm",
                  std::to_string(100 * kMiB / static_cast<uint64_t>(sysconf(_SC_PAGESIZE))) + " 5 4 3 2 1 0\n");
    CHECK(machine.memory(260 * kMiB).free == 160 * kMiB);
    CHECK(machine.memory(260 * kMiB).to_string() ==
          "160.0 of 260.0 MiB of the process's address space (ulimit -v) are free");
    CHECK(residual::host_memory_advice(machine.memory(260 * kMiB)) ==
          "160.0 of 260.0 MiB of the process's address space (ulimit -v) are free: raise this limit");
    CHECK(machine.memory(50 * kMiB).free == 0);
    CHECK(machine.memory(4096 * kMiB).free == 512 * kMiB);
}

TEST_CASE("host memory: no limit if the files cannot be parsed", "[core]") {
    const Machine machine;
    machine.write("meminfo", "nonsense\n");
    machine.write("cgroup", "nonsense\n0::\n");
    CHECK(machine.memory().free == UINT64_MAX);
    CHECK(machine.memory().to_string() == "the host is out of memory");
}

TEST_CASE("host memory: this machine reports a limit", "[core]") {
    const MemoryLimit memory = host_memory();
    CHECK(memory.free > 0);
    CHECK(memory.free <= memory.total);
    CHECK_FALSE(memory.scope.empty());
}
