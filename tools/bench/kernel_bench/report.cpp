#include "tools/bench/kernel_bench/report.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cmath>
#include <ctime>

#include "tools/bench/kernel_bench/environment.h"

namespace residual::bench {

namespace {

// About four digits, never an exponent.
std::string digits(double value) {
    if (value >= 1000) return fmt::format("{:.0f}", value);
    if (value >= 100) return fmt::format("{:.1f}", value);
    return value >= 10 ? fmt::format("{:.2f}", value) : fmt::format("{:.3f}", value);
}

std::string percent(double share) {
    return share < 0.1 ? fmt::format("{:.1f}", 100 * share) : fmt::format("{:.0f}", 100 * share);
}

// A name longer than its column moves only the shape.
template <class... Texts>
void print_line(std::string_view name, std::string_view shape, const Texts&... texts) {
    fmt::print("{:30} {:>5} {:4} {:8} {:>8} {:>8} {:>5} {:>5} {:>6} {:>4} {:>7}\n",
               fmt::format("{:16} {}", name, shape), texts...);
    std::fflush(stdout);
}

template <class... Texts>
void print_row(const Case& c, const Texts&... texts) {
    print_line(c.family->name, c.layer->text(), c.batch_text(), c.dtype_text(), c.kernel(), texts...);
}

nlohmann::ordered_json number_if(bool known, double value) {
    return known ? nlohmann::ordered_json(value) : nullptr;
}

}  // namespace

Report::Report(const Backend& backend, const Yardsticks& yardsticks, const std::string& command)
    : yardsticks_(yardsticks) {
    const bool gpu = backend.device() == DeviceType::kCuda;
    rate_unit_ = gpu ? "TFLOP/s" : "GFLOP/s";
    rate_scale_ = gpu ? 1e-12 : 1e-9;
    document_ = {{"device", backend.description()},
                 {"machine", machine_text()},
                 {"date", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
                 {"commit", commit_text()},
                 {"command", command},
                 {"copy_gb_per_s", yardsticks.copy_bytes_per_second * 1e-9},
                 {"matrix_gflop_per_s", nlohmann::ordered_json::object()},
                 {"cases", nlohmann::ordered_json::array()},
                 {"skipped", nlohmann::ordered_json::array()}};
    if (document_["commit"] == "") document_["commit"] = nullptr;
    fmt::print("{}\n", backend.description());
    fmt::print("copy: {} GB/s, read and written\n", digits(yardsticks.copy_bytes_per_second * 1e-9));
    for (const auto& [source, rate] : yardsticks.products) {
        document_["matrix_gflop_per_s"][source] = rate * 1e-9;
        fmt::print("products: {} {}, {}\n", digits(rate * rate_scale_), rate_unit_, source);
    }
    for (const auto& [source, reason] : yardsticks.failures) {
        document_["matrix_gflop_per_s"][source] = nullptr;
        fmt::print("products: not measured, {}: {}\n", source, reason);
    }
    fmt::print("\n");
    print_line("case", "shape", "batch", "type", "kernel", "cold us", "warm us", "GB/s", "%copy",
               gpu ? "TFLOPs" : "GFLOPs", "%max", "error");
}

nlohmann::ordered_json& Report::add_row(const Case& c) {
    nlohmann::ordered_json row{{"name", c.name()}, {"case", c.family->name},  {"shape", c.layer->text()},
                               {"batch", c.batch}, {"dtype", c.dtype_text()}, {"kernel", c.kernel()}};
    if (c.batch == 0) row["batch"] = nullptr;
    document_["cases"].push_back(std::move(row));
    return document_["cases"].back();
}

void Report::right(const Case& c, const Trial& trial, const Verdict& verdict, const Times& times) {
    ++shown_;
    const double bytes_rate = trial.bytes / times.cold, flops_rate = trial.flops / times.cold;
    const double of_copy = bytes_rate / yardsticks_.copy_bytes_per_second;
    const double most = yardsticks_.most_flops_per_second();
    const double of_matrix = flops_rate / most;
    const bool counts = trial.flops > 0, compares = counts && most > 0;
    auto& row = add_row(c);
    row["cold_us"] = times.cold * 1e6;
    row["warm_us"] = times.warm * 1e6;
    row["bytes"] = trial.bytes;
    row["flops"] = number_if(counts, trial.flops);
    row["gb_per_s"] = bytes_rate * 1e-9;
    row["of_copy"] = of_copy;
    row["gflop_per_s"] = number_if(counts, flops_rate * 1e-9);
    row["of_matrix"] = number_if(compares, of_matrix);
    row["error"] = verdict.error;
    print_row(c, digits(times.cold * 1e6), digits(times.warm * 1e6), digits(bytes_rate * 1e-9), percent(of_copy),
              counts ? digits(flops_rate * rate_scale_) : "-", compares ? percent(of_matrix) : "-",
              fmt::format("{:.1e}", verdict.error));
}

void Report::wrong(const Case& c, const Verdict& verdict) {
    ++shown_;
    ++bad_;
    auto& row = add_row(c);
    row["error"] = number_if(std::isfinite(verdict.error), verdict.error);  // JSON has no infinity.
    row["wrong"] = verdict.output;
    print_row(c, "WRONG", "", "", "", "", "", fmt::format("{:.1e}", verdict.error));
    fmt::print("    {} differs from the reference\n", verdict.output);
}

void Report::failed(const Case& c, const std::string& reason) {
    ++shown_;
    ++bad_;
    add_row(c)["failed"] = reason;
    print_row(c, "FAILED", "", "", "", "", "", "");
    fmt::print("    {}\n", reason);
}

void Report::skip(const Case& c, const std::string& reason) {
    ++skipped_[reason];
    document_["skipped"].push_back({{"name", c.name()}, {"reason", reason}});
}

void Report::lost(const Case& c, int left) {
    document_["device_lost_in"] = c.name();
    fmt::print("\nThe device is lost in this process, and {} case{} not run; run {} with --after {}\n", left,
               left == 1 ? " was" : "s were", left == 1 ? "it" : "them", c.name());
}

bool Report::finish() const {
    fmt::print("\n{} case{} measured, {} wrong or failed\n", shown_ - bad_, shown_ - bad_ == 1 ? "" : "s", bad_);
    for (const auto& [reason, cases] : skipped_) {
        fmt::print("skipped: {} case{}: {}\n", cases, cases == 1 ? "" : "s", reason);
    }
    return bad_ == 0;
}

std::string Report::json() const {
    return document_.dump(2) + "\n";
}

}  // namespace residual::bench
