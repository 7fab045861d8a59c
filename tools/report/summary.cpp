#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "engine/train/progress.h"
#include "tools/report/chart.h"
#include "tools/report/markup.h"
#include "tools/report/published.h"
#include "tools/report/sections.h"

namespace residual::tools {
namespace {

constexpr const char* kMissing = "–";

// A table whose first column is the run.
std::string table(std::span<const ReportRun> runs, const std::vector<std::string>& heads, const char* kind,
                  const std::function<std::vector<std::string>(const ReportRun&)>& cells) {
    std::string out = fmt::format("<div class=\"wide\"><table class=\"{}\"><thead><tr><th>run</th>", kind);
    for (const std::string& head : heads) out += fmt::format("<th>{}</th>", head);
    out += "</tr></thead>\n<tbody>\n";
    for (size_t i = 0; i < runs.size(); ++i) {
        const int index = static_cast<int>(i);
        out +=
            fmt::format("<tr><th>{} <a href=\"{}\">{}</a></th>", swatch(index), anchor(index), escaped(runs[i].name));
        for (const std::string& cell : cells(runs[i])) out += fmt::format("<td>{}</td>", cell);
        out += "</tr>\n";
    }
    return out + "</tbody></table></div>\n";
}

std::string steps(const ReportRun& run) {
    const std::string done = tick_label(static_cast<double>(run.steps()));
    if (!run.experiment || run.steps() >= run.experiment->train.steps) return done;
    return fmt::format("{} of {}", done, tick_label(static_cast<double>(run.experiment->train.steps)));
}

std::string last_error(const ReportRun& run) {
    if (run.rows.test.empty() || !run.rows.test.back().error) return kMissing;
    return percent(*run.rows.test.back().error);
}

std::string best_error(const ReportRun& run) {
    const Row* best = best_of(run.rows);
    if (best == nullptr) return kMissing;
    return fmt::format("{} <small>at {}</small>", percent(*best->error), tick_label(static_cast<double>(best->step)));
}

// Numbers the sources of the published errors, in the order in which they are first asked for.
class Footnotes {
  public:
    std::string published(const ReportRun& run) {
        const auto error = run.experiment ? published_error(*run.experiment) : std::nullopt;
        if (!error) return kMissing;
        const auto known = std::ranges::find(sources_, error->source);
        const auto number = known - sources_.begin() + 1;
        if (known == sources_.end()) sources_.push_back(error->source);
        return fmt::format("{:g} %<sup>{}</sup>", error->percent, number);
    }
    std::string text() const {
        if (sources_.empty()) return "";
        std::string out =
            "<p class=\"note\">Published: test error after 64,000 steps of 128 images on the original "
            "CIFAR-10.";
        for (size_t i = 0; i < sources_.size(); ++i) {
            out += fmt::format(" <sup>{}</sup> {}.", i + 1, escaped(sources_[i]));
        }
        return out + "</p>\n";
    }

  private:
    std::vector<std::string> sources_;
};

std::pair<std::string, std::string> speed_and_time(const ReportRun& run) {
    const auto time = run.experiment ? training_time(run.rows, run.experiment->train.batch_size) : std::nullopt;
    if (!time) return {kMissing, kMissing};
    const double images = static_cast<double>(time->steps) * static_cast<double>(run.experiment->train.batch_size);
    return {tick_label(std::round(images / time->seconds)), duration_text(time->seconds)};
}

std::string results(std::span<const ReportRun> runs) {
    Footnotes footnotes;
    const std::string rows =
        table(runs,
              {"last error", "best error", "published (64,000 steps)", "steps", "images/s", "training time",
               "parameters", "network"},
              "numbers", [&](const ReportRun& run) {
                  const auto [speed, time] = speed_and_time(run);
                  return std::vector<std::string>{
                      last_error(run),
                      best_error(run),
                      footnotes.published(run),
                      steps(run),
                      speed,
                      time,
                      run.parameters > 0 ? tick_label(static_cast<double>(run.parameters)) : kMissing,
                      escaped(run.experiment ? run.experiment->model.title() : run.network())};
              });
    return rows + footnotes.text() +
           "<p class=\"note\">Errors are on the test images. Images per second and training time leave out evaluations "
           "and checkpoints.</p>\n";
}

std::string origins(std::span<const ReportRun> runs) {
    return table(runs, {"data set", "data fingerprint", "seed", "batch", "version, device and precision"}, "origins",
                 [](const ReportRun& run) -> std::vector<std::string> {
                     const auto& experiment = run.experiment;
                     const bool known = run.info && !run.info->environment.empty();
                     return {experiment ? escaped(experiment->data.format) : kMissing,
                             run.info ? checksum_text(run.info->data_fingerprint) : kMissing,
                             experiment ? std::to_string(experiment->train.seed) : kMissing,
                             experiment ? tick_label(static_cast<double>(experiment->train.batch_size)) : kMissing,
                             known ? escaped(run.info->environment) : "not recorded"};
                 }) +
           "<p class=\"note\">The fingerprint is the CRC-32 of the training images. It, version, device and precision "
           "are "
           "those in the last checkpoint.</p>\n";
}

}  // namespace

std::string summary(std::span<const ReportRun> runs) {
    return "<section><h2>Results</h2>\n" + results(runs) + "<h3>Made with</h3>\n" + origins(runs) + "</section>\n";
}

std::string percent(double fraction) {
    return fmt::format("{:.2f}\u00a0%", 100 * fraction);
}

std::string anchor(int index) {
    return fmt::format("#run-{}", index);
}

}  // namespace residual::tools
