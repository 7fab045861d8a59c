// kernel-bench: the time of every kernel at the shapes of ResNet-20, 56 and 110, compared with the device's peak rates.
//
//     kernel-bench [--device cpu|cuda|cuda:N|auto] [--filter RE] [--after CASE] [--json FILE] [--batch N]...
//                  [--seconds S] [--list]
//
// Checks the result of each case first; a wrong one is not timed. docs/kernel-bench.md explains the table.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <regex>

#include "engine/io/atomic_file.h"
#include "engine/train/device_choice.h"
#include "tools/bench/kernel_bench/report.h"
#include "tools/programs/program.h"

namespace {

using namespace residual;
using namespace residual::bench;

struct Options {
    std::string device = "auto", filter, after, json;
    std::vector<int> batches{128, 512, 1024};
    double seconds = 0.2;
    bool list = false;
    std::string command;
};

struct Device {
    std::unique_ptr<Backend> backend;
    std::string why_no_fused;
};

Device make_device(const DeviceChoice& wanted) {
    const std::string reason = wanted == DeviceChoice::cpu ? "" : why_no_cuda(wanted.gpu);
    if (wanted.kind == DeviceChoice::Kind::cuda || (wanted == DeviceChoice::automatic && reason.empty())) {
        return {make_cuda_backend({.fused = true, .device = wanted.gpu, .log = tools::print_plans(true)}),
                "this device has no fused operations"};
    }
    return {make_cpu_backend(), "fused kernels are for GPUs" + (reason.empty() ? "" : "; " + reason)};
}

std::vector<Case> wanted_cases(const Options& options, DType dtype) {
    std::vector<Case> cases = all_cases(options.batches, dtype);
    if (!options.after.empty()) {
        const auto last =
            std::find_if(cases.begin(), cases.end(), [&](const Case& c) { return c.name() == options.after; });
        if (last == cases.end()) {
            throw InputError(fmt::format("--after {}: there is no such case; see kernel-bench --list", options.after));
        }
        cases.erase(cases.begin(), last + 1);
    }
    if (options.filter.empty()) return cases;
    std::optional<std::regex> filter;
    try {
        filter.emplace(options.filter);
    } catch (const std::regex_error& error) {
        throw InputError(fmt::format("--filter {}: not a regular expression: {}", options.filter, error.what()));
    }
    std::erase_if(cases, [&](const Case& c) { return !std::regex_search(c.name(), *filter); });
    if (cases.empty()) {
        throw InputError(fmt::format("--filter {}: no case matches; see kernel-bench --list", options.filter));
    }
    return cases;
}

// To be opened before measuring, so that a wrong path is reported at once.
std::unique_ptr<AtomicFile> json_file(const std::string& path) {
    if (path.empty()) return nullptr;
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        throw InputError(fmt::format("--json {}: a folder; name a file", path));
    }
    try {
        return std::make_unique<AtomicFile>(path);
    } catch (const Error& error) {
        throw InputError(fmt::format("--json {}: {}", path, error.what()));
    }
}

bool is_usable(Backend& backend) {
    try {
        backend.synchronize();
        return true;
    } catch (const Error&) {
        return false;
    }
}

// Returns whether the device can run another case. After an error such as an illegal address, every call fails.
bool run_case(const Case& c, Backend& backend, Meter& meter, Report& report) {
    const auto make = [&] {
        Operands operands(backend, c.dtype, std::max(c.batch, 1));
        return (c.fused ? c.family->fused : c.family->composed)(operands, *c.layer);
    };
    try {
        const Trial trial = make();
        const Verdict verdict = check(backend, trial, c.dtype);
        if (verdict.right) {
            report.right(c, trial, verdict, meter.measure(trial, make));
        } else {
            report.wrong(c, verdict);
        }
    } catch (const NotOffered& reason) {
        report.skip(c, reason.what());
    } catch (const std::exception& error) {
        report.failed(c, error.what());
        return is_usable(backend);
    }
    return true;
}

int bench_kernels(const Options& options) {
    const Device device = make_device(device_named(options.device).value());
    Backend& backend = *device.backend;
    const auto cases = wanted_cases(options, backend.prefers_bfloat16() ? DType::kBFloat16 : DType::kFloat32);
    if (options.list) {
        for (const Case& c : cases) fmt::print("{}\n", c.name());
        return tools::kDone;
    }
    const auto file = json_file(options.json);

    Meter meter(backend, options.seconds);
    Report report(backend, measure_yardsticks(backend, meter.stopwatch()), options.command);
    for (size_t i = 0; i < cases.size(); ++i) {
        const Case& c = cases[i];
        if (c.fused && backend.fused() == nullptr) {
            report.skip(c, device.why_no_fused);
        } else if (!run_case(c, backend, meter, report) && i + 1 < cases.size()) {
            report.lost(c, static_cast<int>(cases.size() - i - 1));
            break;
        }
    }
    const bool good = report.finish();
    if (file) {
        const std::string text = report.json();
        file->write(std::as_bytes(std::span(text)));
        file->commit();
    }
    return good ? tools::kDone : tools::kFailed;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Times every kernel at the shapes of ResNet-20, 56 and 110 and checks its result.", "kernel-bench");
    Options options;
    app.add_option("--device", options.device, "where to run: cpu, cuda, cuda:N (GPU number N) or auto (default)")
        ->check([](const std::string& name) {
            return residual::device_named(name) ? "" : name + " is not a device; give cpu, cuda, cuda:N or auto";
        });
    app.add_option("--filter", options.filter, "only cases whose name matches this regular expression (see --list)");
    app.add_option("--after", options.after, "only cases that follow the one of this name in the order of --list");
    residual::tools::add_path(app, "--json", options.json, "also write the results to this file");
    app.add_option("--batch", options.batches, "batch sizes (default: 128 512 1024)")->check(CLI::Range(1, 4096));
    app.add_option(
           "--seconds", options.seconds,
           "seconds for each of the two measurements of a case, with a cold and with a warm cache (default: 0.2); "
           "0: check the results, with minimal timing")
        ->check(CLI::Range(0.0, 3600.0));
    app.add_flag("--list", options.list, "print the names of the cases and exit");
    app.footer("Exit codes: 0 done; 1 a result is wrong or a case failed; 2 wrong usage.");
    for (int i = 0; i < argc; ++i) options.command += (i > 0 ? " " : "") + std::string(argv[i]);
    return tools::run_program(app, argc, argv, [&] { return bench_kernels(options); });
}
