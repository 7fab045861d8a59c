#include "tools/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "tools/report/markup.h"

namespace residual::tools {
namespace {

// The size of the drawing, and the margins around the area between the axes, in user units. A user unit is about one
// pixel at the widths at which the page shows a chart.
constexpr double kWidth = 460, kHeight = 320, kLeft = 54, kRight = 16, kTop = 28, kBottom = 46;
constexpr double kAreaWidth = kWidth - kLeft - kRight, kAreaHeight = kHeight - kTop - kBottom;
constexpr size_t kMarkers = 25;  // Per line at most.

double x_of(const Chart& chart, double value) {
    return kLeft + kAreaWidth * chart.x.position(value);
}

// Values far outside are moved to just outside, so that the coordinates stay small.
double y_of(const Chart& chart, double value) {
    return kTop + kAreaHeight * (1 - std::clamp(chart.y.position(value), -1.0, 2.0));
}

std::string marker(int style, double x, double y) {
    constexpr std::array<std::string_view, kRounds> kShapes = {"m-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z", "m-3 -3h6v6h-6z",
                                                               "m0 -4l4 7h-8z", "m0 -4l4 4l-4 4l-4 -4z"};
    return fmt::format("M{:.1f} {:.1f}{}", x, y, kShapes[static_cast<size_t>(style / kColours % kRounds)]);
}

// Its colour, and the width of its lines.
std::string classes(int style) {
    return fmt::format("run{} round{}", style % kColours, style / kColours % kRounds);
}

std::string line(const Chart& chart, const Series& series) {
    std::string path;
    for (const Point& point : series.points) {
        const double x = x_of(chart, point.x), y = y_of(chart, point.y);
        if (path.empty()) {
            path = fmt::format("M{:.1f} {:.1f}", series.steps ? x_of(chart, chart.x.low()) : x, y);
            if (!series.steps) continue;
        }
        path += series.steps ? fmt::format("V{:.1f}H{:.1f}", y, x) : fmt::format("L{:.1f} {:.1f}", x, y);
    }
    return path;
}

std::string markers(const Chart& chart, const Series& series) {
    const size_t stride = (series.points.size() + kMarkers - 1) / kMarkers;
    std::string path;
    // Backwards, so that the last point has one.
    for (size_t i = series.points.size(); i > 0; i -= std::min(i, stride)) {
        const Point& point = series.points[i - 1];
        path += marker(series.style, x_of(chart, point.x), y_of(chart, point.y));
    }
    return path;
}

std::string grid(const Chart& chart) {
    std::string out;
    for (const double tick : chart.y.ticks()) {
        const double y = y_of(chart, tick);
        out += fmt::format(
            R"(<path class="grid" d="M{:.1f} {:.1f}h{:.1f}" /><text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)",
            kLeft, y, kAreaWidth, kLeft - 6, y + 4, tick_label(tick));
    }
    for (const double tick : chart.x.ticks()) {
        const double x = x_of(chart, tick);
        // The last label must not leave the drawing.
        const std::string label = tick_label(tick);
        const bool last = x + 4.0 * static_cast<double>(label.size()) > kWidth;
        out += fmt::format(
            R"(<path class="axis" d="M{:.1f} {:.1f}v4" /><text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)",
            x, kTop + kAreaHeight, last ? kWidth : x, kTop + kAreaHeight + 18, last ? "end" : "middle", label);
    }
    return out;
}

}  // namespace

std::string svg(const Chart& chart) {
    std::string out = fmt::format(
        R"(<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}"><clipPath id="{}"><rect x="{}" y="{}" width="{}" height="{}" /></clipPath>)",
        kWidth, kHeight, escaped(chart.description), chart.id, kLeft, kTop - 2, kAreaWidth + 4, kAreaHeight + 4);
    out += grid(chart);
    out += fmt::format(R"(<path class="axis" d="M{} {}h{}" />)", kLeft, kTop + kAreaHeight, kAreaWidth);
    out += fmt::format(R"(<text class="label" x="{}" y="16">{}</text>)", 4, escaped(chart.y_label));
    out += fmt::format(R"(<text class="label" x="{}" y="{}" text-anchor="middle">{}</text>)", kLeft + kAreaWidth / 2,
                       kHeight - 8, escaped(chart.x_label));
    out += fmt::format("<g clip-path=\"url(#{})\">", chart.id);
    for (const Series& series : chart.series) {
        if (series.points.empty()) continue;
        out += fmt::format(R"(<g class="{}"><title>{}</title><path class="line{}" d="{}" />)", classes(series.style),
                           escaped(series.name), series.dashed ? " dashed" : "", line(chart, series));
        if (series.markers || series.points.size() == 1)
            out += fmt::format(R"(<path class="marker" d="{}" />)", markers(chart, series));
        out += "</g>";
    }
    return out + "</g></svg>\n";
}

std::string swatch(int style) {
    return fmt::format(
        R"(<svg class="swatch {}" viewBox="0 0 30 12" aria-hidden="true"><path class="line" d="M1 6h28" /><path class="marker" d="{}" /></svg>)",
        classes(style), marker(style, 15, 6));
}

}  // namespace residual::tools
