#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <variant>
#include <vector>

#include "tools/report/chart.h"
#include "tools/report/markup.h"
#include "tools/report/sections.h"

namespace residual::tools {
namespace {

constexpr size_t kTrainingPoints = 150;  // Per line at most: more are noise, and bytes.
constexpr int kXTicks = 4, kYTicks = 6;

using Value = std::optional<double> Row::*;

enum class Kind { residual, plain, unknown };

Kind kind_of(const ReportRun& run) {
    if (!run.experiment) return Kind::unknown;
    const auto* network = std::get_if<models::ResNetConfig>(&run.experiment->model.config);
    return network != nullptr && network->shortcut == models::Shortcut::none ? Kind::plain : Kind::residual;
}

std::vector<Point> points_of(const std::vector<Row>& rows, Value value, double factor) {
    std::vector<Point> points;
    for (const Row& row : rows) {
        if (row.*value) points.push_back({static_cast<double>(row.step), factor * *(row.*value)});
    }
    return points;
}

// The dashed training line and the solid test line of a run.
std::vector<Series> both_lines(const ReportRun& run, int index, Value value, double factor) {
    return {{.name = run.name + ", training",
             .style = index,
             .points = points_of(merged(run.rows.training, kTrainingPoints), value, factor),
             .dashed = true},
            {.name = run.name + ", test",
             .style = index,
             .points = points_of(run.rows.test, value, factor),
             .markers = true}};
}

std::vector<Series> all_lines(std::span<const ReportRun> runs, Value value, double factor,
                              const std::function<bool(const ReportRun&)>& shown) {
    std::vector<Series> series;
    for (size_t i = 0; i < runs.size(); ++i) {
        if (!shown(runs[i])) continue;
        for (Series& line : both_lines(runs[i], static_cast<int>(i), value, factor)) {
            if (!line.points.empty()) series.push_back(std::move(line));
        }
    }
    return series;
}

Axis steps(std::span<const ReportRun> runs) {
    int64_t last = 1;
    for (const ReportRun& run : runs) last = std::max(last, run.rows.last_step());
    return {Scale::linear, 0, static_cast<double>(last), kXTicks, Ends::at_values};
}

// The range of the values, logarithmic if they span more than a decade. Test losses far above the training losses,
// which some networks have before the running statistics of batch norm have settled, are cut off, but not the last.
Axis range_of(const std::vector<Series>& series) {
    double low = 1e300, high = 0, largest_trained = 0, largest_final = 0;
    for (const Series& line : series) {
        largest_final = std::max(largest_final, line.points.back().y);
        for (const Point& point : line.points) {
            low = std::min(low, point.y);
            high = std::max(high, point.y);
            if (line.dashed) largest_trained = std::max(largest_trained, point.y);
        }
    }
    if (largest_trained > 0) high = std::min(high, std::max(2 * largest_trained, largest_final));
    if (low > 0 && high > 10 * low) return {Scale::logarithmic, low, high, kYTicks};
    return {Scale::linear, low, high, kYTicks};
}

// From 0 to a little above twice the worst final error, so that the differences between final errors can be read; the
// first, larger errors are cut off.
Axis error_axis(const std::vector<Series>& series) {
    double high = 1, largest = 1;
    for (const Series& line : series) {
        high = std::max(high, 2 * line.points.back().y);
        for (const Point& point : line.points) largest = std::max(largest, point.y);
    }
    return {Scale::linear, 0, std::min(high, largest), kYTicks};
}

// A sentence for the caption, if the axis does not show every value.
std::string cut_off(const std::vector<Series>& series, const Axis& y) {
    for (const Series& line : series) {
        const bool above = std::ranges::any_of(line.points, [&](const Point& point) { return point.y > y.high(); });
        if (above) return fmt::format(" Values above {} are not shown.", tick_label(y.high()));
    }
    return "";
}

std::string legend(std::span<const ReportRun> runs, const std::vector<Series>& series) {
    std::map<int, std::string> names;
    for (const Series& line : series) {
        const ReportRun& run = runs[static_cast<size_t>(line.style)];
        names[line.style] = run.name == run.network() ? run.name : run.name + " · " + run.network();
    }
    std::string out = "<ul class=\"legend\">";
    for (const auto& [style, name] : names) out += fmt::format("<li>{} {}</li>", swatch(style), escaped(name));
    return out + "</ul>";
}

std::string figure(const std::string& title, const std::string& caption, std::span<const ReportRun> runs,
                   const Chart& chart) {
    return fmt::format("<figure><h3>{}</h3>{}{}<figcaption>{}</figcaption></figure>\n", title, svg(chart),
                       legend(runs, chart.series), caption);
}

std::string error_figure(const char* id, const std::string& title, std::span<const ReportRun> runs, Kind kind,
                         const Axis& x, const Axis& y) {
    const auto series =
        all_lines(runs, &Row::error, 100, [kind](const ReportRun& run) { return kind_of(run) == kind; });
    if (series.empty()) return "";
    return figure(title, "Solid: test, dashed: training, with augmentation." + cut_off(series, y), runs,
                  {id, title + ": error over the steps", "step", "error (%)", x, y, series});
}

std::string loss_figure(std::span<const ReportRun> runs, const Axis& x) {
    const auto series = all_lines(runs, &Row::loss, 1, [](const ReportRun&) { return true; });
    if (series.empty()) return "";
    const Axis y = range_of(series);
    return figure("Loss",
                  "Solid: test, dashed: training, with augmentation; without the weight penalty." + cut_off(series, y),
                  runs, {"loss", "Loss over the steps", "step", "cross-entropy", x, y, series});
}

// Whether the learning rates are equal at the steps of which both runs have one, and there are such steps.
bool same_schedule(const ReportRun& a, const ReportRun& b) {
    if (a.experiment && b.experiment && a.experiment->schedule != b.experiment->schedule) return false;
    std::map<int64_t, double> rates;
    for (const Row& row : a.rows.training) {
        if (row.learning_rate) rates[row.step] = *row.learning_rate;
    }
    bool shared = false;
    for (const Row& row : b.rows.training) {
        const auto other = rates.find(row.step);
        if (!row.learning_rate || other == rates.end()) continue;
        if (other->second != *row.learning_rate) return false;
        shared = true;
    }
    return shared;
}

// The last point of each stretch of equal values, which is enough for a line of steps.
std::vector<Point> changes(const std::vector<Point>& points) {
    std::vector<Point> kept;
    for (const Point& point : points) {
        if (!kept.empty() && kept.back().y == point.y) kept.pop_back();
        kept.push_back(point);
    }
    return kept;
}

// Runs with the same schedule share a line, which has the style of the first and is as long as the longest.
std::string learning_rate_figure(std::span<const ReportRun> runs, const Axis& x) {
    std::vector<Series> series;
    for (size_t i = 0; i < runs.size(); ++i) {
        auto points = changes(points_of(runs[i].rows.training, &Row::learning_rate, 1));
        if (points.empty()) continue;
        const auto known = std::ranges::find_if(
            series, [&](const Series& line) { return same_schedule(runs[static_cast<size_t>(line.style)], runs[i]); });
        if (known != series.end()) {
            known->name += ", " + runs[i].name;
            if (points.back().x > known->points.back().x) known->points = std::move(points);
            continue;
        }
        series.push_back(
            {.name = runs[i].name, .style = static_cast<int>(i), .points = std::move(points), .steps = true});
    }
    if (series.empty()) return "";
    std::string entries = "<ul class=\"legend\">";
    for (const Series& line : series) entries += fmt::format("<li>{} {}</li>", swatch(line.style), escaped(line.name));
    const Axis y = range_of(series);
    const Chart chart{"rate", "Learning rate over the steps", "step", "learning rate", x, y, series};
    return fmt::format("<figure><h3>Learning rate</h3>{}{}</ul></figure>\n", svg(chart), entries);
}

}  // namespace

std::string curves(std::span<const ReportRun> runs) {
    const Axis x = steps(runs);
    const auto errors = all_lines(runs, &Row::error, 100, [](const ReportRun&) { return true; });
    std::string out = "<section><h2>Training</h2>\n<div class=\"figures\">\n";
    if (!errors.empty()) {
        const Axis y = error_axis(errors);  // The same for all of them, to compare.
        out += error_figure("residual", "Residual networks", runs, Kind::residual, x, y);
        out += error_figure("plain", "Plain networks (no shortcuts)", runs, Kind::plain, x, y);
        out += error_figure("unknown", "Runs without a configuration", runs, Kind::unknown, x, y);
    }
    out += loss_figure(runs, x) + learning_rate_figure(runs, x);
    if (out.find("<figure>") == std::string::npos) out += "<p>None of the runs has rows yet.</p>\n";
    return out + "</div></section>\n";
}

}  // namespace residual::tools
