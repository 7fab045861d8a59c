// The number of threads, from files in the format of Linux's control groups.
#include "engine/core/cpu_threads.h"

#include <omp.h>

#include <cstdlib>
#include <span>
#include <string>
#include <thread>

#include "tests/catch.h"
#include "tests/io/temporary_folder.h"

namespace {

using residual::CpuThreads;

class Groups {
  public:
    void write(const std::string& name, const std::string& text) const {
        const std::filesystem::path path = folder_ / name;
        std::filesystem::create_directories(path.parent_path());
        tests::write_bytes(path, std::as_bytes(std::span(text)));
    }
    CpuThreads threads(int allowed, int cpus) const {
        return residual::available_threads({folder_ / "cgroup", folder_ / "groups"}, allowed, cpus);
    }

  private:
    tests::TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("threads: one per CPU of the affinity mask without a quota", "[core]") {
    const Groups groups;
    CHECK(groups.threads(16, 16).count == 16);
    CHECK(groups.threads(16, 16).reason == "all CPUs");
    CHECK(groups.threads(3, 16).count == 3);
    CHECK(groups.threads(3, 16).reason == "affinity mask; 16 CPUs");
}

TEST_CASE("threads: the quota of a control group, version 2", "[core]") {
    const Groups groups;
    groups.write("cgroup", "0::/outer/inner\n");
    groups.write("groups/outer/inner/cpu.max", "max 100000\n");
    SECTION("not set") {
        CHECK(groups.threads(16, 16).count == 16);
    }
    SECTION("rounded down") {
        groups.write("groups/outer/inner/cpu.max", "250000 100000\n");
        CHECK(groups.threads(16, 16).count == 2);
        CHECK(groups.threads(16, 16).reason == "control group's quota of 2.5 CPUs; 16 CPUs");
    }
    SECTION("but at least one") {
        groups.write("groups/outer/inner/cpu.max", "50000 100000\n");
        CHECK(groups.threads(16, 16).count == 1);
        CHECK(groups.threads(1, 16).reason == "control group's quota of 0.5 CPUs; 16 CPUs");
    }
    SECTION("of the parent") {
        groups.write("groups/outer/cpu.max", "300000 100000\n");
        CHECK(groups.threads(16, 16).count == 3);
    }
    SECTION("of the root group, as a container sees it") {
        groups.write("groups/cpu.max", "400000 100000\n");
        CHECK(groups.threads(16, 16).count == 4);
    }
    SECTION("above the affinity mask") {
        groups.write("groups/outer/cpu.max", "800000 100000\n");
        CHECK(groups.threads(8, 16).count == 8);
        CHECK(groups.threads(8, 16).reason == "affinity mask; 16 CPUs");
    }
    SECTION("not a number") {
        groups.write("groups/outer/cpu.max", "nonsense\n");
        CHECK(groups.threads(16, 16).count == 16);
    }
}

TEST_CASE("threads: the quota of a control group, version 1", "[core]") {
    const Groups groups;
    groups.write("cgroup", "5:cpu,cpuacct:/job\n4:memory:/elsewhere\n0::/\n");
    groups.write("groups/cpu/job/cpu.cfs_period_us", "50000\n");
    groups.write("groups/cpu/job/cpu.cfs_quota_us", "-1\n");
    CHECK(groups.threads(16, 16).count == 16);
    groups.write("groups/cpu/job/cpu.cfs_quota_us", "300000\n");
    CHECK(groups.threads(16, 16).count == 6);
    groups.write("groups/cpu/cpu.cfs_period_us", "100000\n");
    groups.write("groups/cpu/cpu.cfs_quota_us", "150000\n");
    CHECK(groups.threads(16, 16).count == 1);
}

TEST_CASE("threads: a number that the caller has set stays", "[core]") {
    std::thread([] {  // the number belongs to a thread
        const int unusual = omp_get_num_procs() + 5;
        omp_set_num_threads(unusual);
        const bool variable = std::getenv("OMP_NUM_THREADS") != nullptr;
        CHECK(residual::set_cpu_threads().count == unusual);
        CHECK(residual::set_cpu_threads().reason == (variable ? "OMP_NUM_THREADS" : "omp_set_num_threads"));
        CHECK(omp_get_max_threads() == unusual);
    })
        .join();
}
