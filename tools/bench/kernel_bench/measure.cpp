#include "tools/bench/kernel_bench/measure.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <exception>

namespace residual::bench {

namespace {

constexpr double kPassSeconds = 5e-4;  // Long enough that the overhead of the clock is negligible.
constexpr double kMostCalls = 256;
constexpr double kMostPasses = 99;

// Keeps the median that Google Benchmark computes.
class MedianReporter final : public benchmark::BenchmarkReporter {
  public:
    bool ReportContext(const Context&) override { return true; }
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs) {
            if (run.aggregate_name == "median") seconds_ = run.GetAdjustedRealTime();
        }
    }
    double seconds() const { return seconds_; }

  private:
    double seconds_ = 0;
};

// The median result of `passes` >= 2 calls of pass().
double median_seconds(int passes, const std::function<double()>& pass) {
    std::exception_ptr failure;
    const auto body = [&](benchmark::State& state) {
        try {
            for (auto _ : state) state.SetIterationTime(pass());
        } catch (...) {
            failure = std::current_exception();
            state.SkipWithError("an exception");
        }
    };
    benchmark::RegisterBenchmark("pass", body)
        ->UseManualTime()
        ->Iterations(1)
        ->Repetitions(passes)
        ->ReportAggregatesOnly(true)
        ->Unit(benchmark::kSecond);
    MedianReporter reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter, "all");
    benchmark::ClearRegisteredBenchmarks();
    if (failure) std::rethrow_exception(failure);
    return reporter.seconds();
}

size_t divided_up(double number, double by) {
    return static_cast<size_t>(std::ceil(number / by));
}

}  // namespace

Meter::Meter(Backend& backend, double budget)
    : backend_(backend), stopwatch_(make_stopwatch(backend)), budget_(budget) {}

Times Meter::measure(const Trial& first, const std::function<Trial()>& make) {
    stopwatch_->start();
    first.run();
    const double one = std::max(stopwatch_->stop(), 1e-9);
    const auto calls = static_cast<size_t>(std::clamp(kPassSeconds / one, 1.0, kMostCalls));
    // Enough copies to exceed the cache, but at most one per call of a pass.
    const size_t copies =
        std::min(calls, divided_up(2.0 * static_cast<double>(stopwatch_->cache_bytes()), first.bytes));
    std::vector<Trial> trials{first};
    while (trials.size() < std::max<size_t>(copies, 1)) trials.push_back(make());
    Times times{};
    times.cold = median_of_passes(trials, divided_up(static_cast<double>(calls), trials.size()) * trials.size(), true);
    times.warm = median_of_passes({first}, calls, false);
    return times;
}

// On a GPU the calls of a pass are recorded once and replayed, which excludes the host's work from the time.
double Meter::median_of_passes(const std::vector<Trial>& trials, size_t calls, bool cold) {
    const auto work = [&] {
        for (size_t i = 0; i < calls; ++i) trials[i % trials.size()].run();
    };
    Tensor flushed;
    const double cache = 2.0 * static_cast<double>(stopwatch_->cache_bytes());
    if (cold && trials.front().bytes * static_cast<double>(trials.size()) < cache) {
        flushed = backend_.empty({static_cast<int64_t>(cache)}, DType::kUInt8);
    }
    work();
    const auto recording = backend_.can_record() ? backend_.record(work) : nullptr;
    const auto pass = [&] {
        if (flushed.defined()) backend_.fill_zero(flushed);
        stopwatch_->start();
        if (recording) {
            recording->replay();
        } else {
            work();
        }
        return stopwatch_->stop();
    };
    const double one = std::max(pass(), 1e-9);
    const auto passes = static_cast<int>(std::clamp(budget_ / one, 2.0, kMostPasses));
    return median_seconds(passes, pass) / static_cast<double>(calls);
}

}  // namespace residual::bench
