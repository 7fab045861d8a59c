// Line charts as SVG elements of an HTML page.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/report/axis.h"

namespace residual::tools {

struct Point {
    double x, y;
};

struct Series {
    std::string name;  // Shown when the pointer rests on the line.
    int style;         // Colour, width and marker; the same number in every chart for the same run.
    std::vector<Point> points;
    bool dashed = false, markers = false;
    bool steps = false;  // Each value holds since the previous point, instead of a straight line between them.
};

struct Chart {
    std::string id;           // Unique in the page.
    std::string description;  // For readers who cannot see it.
    std::string x_label, y_label;
    Axis x, y;
    std::vector<Series> series;
};

// Lines are cut off at the edges of the axes.
std::string svg(const Chart& chart);

// A short piece of the solid line of `style` with its marker, for legends and tables.
std::string swatch(int style);

// The number of colours; styles beyond it repeat them with another width and marker, of which there are kRounds.
constexpr int kColours = 7, kRounds = 4;

}  // namespace residual::tools
