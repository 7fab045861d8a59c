#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "tools/report/chart.h"
#include "tools/report/markup.h"
#include "tools/report/sections.h"

namespace residual::tools {
namespace {

// A matrix of more classes is an image, as its numbers would not fit, and a list of them is folded.
constexpr int kMostClassesInTable = 20;
constexpr size_t kConfusions = 20;

// The share of the row's images in one cell of a confusion matrix.
double share(const ConfusionMatrix& confusion, int label, int predicted) {
    const int64_t images = confusion.images(label);
    return images > 0 ? static_cast<double>(confusion.count(label, predicted)) / static_cast<double>(images) : 0;
}

// Errors are shaded more than right predictions, or they could not be seen.
double shade(const ConfusionMatrix& confusion, int label, int predicted) {
    return std::min(1.0, share(confusion, label, predicted) * (label == predicted ? 1 : 3));
}

std::string matrix_table(const ConfusionMatrix& confusion, const std::vector<std::string>& names) {
    std::string out =
        "<div class=\"wide\"><table class=\"confusion\"><caption>rows: true class, columns: predicted "
        "class; numbers of images; blue: correct, orange: wrong</caption><thead><tr><td></td>";
    for (const std::string& name : names) out += fmt::format("<th><span>{}</span></th>", escaped(name));
    out += "</tr></thead>\n<tbody>\n";
    for (int label = 0; label < confusion.classes(); ++label) {
        out += fmt::format("<tr><th>{}</th>", escaped(names[label]));
        for (int predicted = 0; predicted < confusion.classes(); ++predicted) {
            out += fmt::format("<td class=\"{}\" style=\"--shade: {:.2f}\">{}</td>",
                               label == predicted ? "right" : "wrong", shade(confusion, label, predicted),
                               confusion.count(label, predicted));
        }
        out += "</tr>\n";
    }
    return out + "</tbody></table></div>\n";
}

// White is 0; blue are right predictions, orange are errors.
std::string matrix_image(const ConfusionMatrix& confusion) {
    constexpr double kRight[3] = {0, 114, 178}, kWrong[3] = {213, 94, 0};
    std::vector<uint8_t> pixels;
    for (int label = 0; label < confusion.classes(); ++label) {
        for (int predicted = 0; predicted < confusion.classes(); ++predicted) {
            const double* colour = label == predicted ? kRight : kWrong;
            const double alpha = shade(confusion, label, predicted);
            for (int c = 0; c < 3; ++c) pixels.push_back(static_cast<uint8_t>(255 + alpha * (colour[c] - 255)));
        }
    }
    return fmt::format(
        "<img class=\"matrix\" alt=\"confusion matrix\" src=\"{}\" /><p class=\"note\">Rows: true class, "
        "columns: predicted class, both in the order of the labels; blue: correct, orange: wrong.</p>",
        png_data_uri(pixels, confusion.classes(), confusion.classes(), 3));
}

std::string frequent_confusions(const ConfusionMatrix& confusion, const std::vector<std::string>& names) {
    struct Cell {
        int label, predicted;
    };
    std::vector<Cell> cells;
    for (int label = 0; label < confusion.classes(); ++label) {
        for (int predicted = 0; predicted < confusion.classes(); ++predicted) {
            if (label != predicted && confusion.count(label, predicted) > 0) cells.push_back({label, predicted});
        }
    }
    std::ranges::stable_sort(cells, std::greater(),
                             [&](const Cell& cell) { return confusion.count(cell.label, cell.predicted); });
    cells.resize(std::min(cells.size(), kConfusions));
    std::string out =
        "<table><thead><tr><th>true class</th><th>predicted class</th><th>images</th></tr>"
        "</thead><tbody>\n";
    for (const Cell& cell : cells) {
        out += fmt::format("<tr><td>{}</td><td>{}</td><td>{} of {}</td></tr>\n", escaped(names[cell.label]),
                           escaped(names[cell.predicted]), confusion.count(cell.label, cell.predicted),
                           confusion.images(cell.label));
    }
    return out + "</tbody></table>\n";
}

// Test image number `image` as an <img>.
std::string image_of(const DataDescription& data, const uint8_t* record, size_t image) {
    const auto plane = static_cast<size_t>(data.height) * data.width;
    const uint8_t* planes = record + 1;
    std::vector<uint8_t> pixels;
    for (size_t i = 0; i < plane; ++i) {
        for (int c = 0; c < data.channels; ++c) pixels.push_back(planes[c * plane + i]);
    }
    return fmt::format("<img class=\"pixels\" alt=\"test image {}\" title=\"test image {}\" src=\"{}\" />", image,
                       image, png_data_uri(pixels, data.height, data.width, data.channels));
}

// One row per class, one column for each of the runs `members`, which have the same classes.
std::string accuracy_table(std::span<const ReportRun> runs, const std::vector<size_t>& members) {
    const DataDescription& data = runs[members.front()].test->data;
    std::vector<ConfusionMatrix> matrices;
    std::string out = "<div class=\"wide\"><table class=\"accuracy\"><thead><tr><th>class</th>";
    for (const size_t member : members) {
        matrices.push_back(runs[member].test->confusion());
        out += fmt::format("<th>{} {}</th>", swatch(static_cast<int>(member)), escaped(runs[member].name));
    }
    out += "</tr></thead>\n<tbody>\n";
    for (int label = 0; label < data.classes(); ++label) {
        out += fmt::format("<tr><th>{}</th>", escaped(data.class_names[label]));
        for (const ConfusionMatrix& matrix : matrices) {
            const auto accuracy = matrix.accuracy(label);
            out += accuracy ? fmt::format("<td><span class=\"bar\" style=\"width: {0:.1f}%\"></span>{0:.1f} %</td>",
                                          100 * *accuracy)
                            : "<td>no images</td>";
        }
        out += "</tr>\n";
    }
    out += "</tbody></table></div>\n";
    if (data.classes() <= kMostClassesInTable) return out;
    return fmt::format("<details><summary>The {} classes of {}</summary>\n{}</details>\n", data.classes(),
                       escaped(data.name), out);
}

}  // namespace

std::string class_accuracies(std::span<const ReportRun> runs) {
    std::vector<std::vector<size_t>> groups;  // Runs with the same classes.
    for (size_t i = 0; i < runs.size(); ++i) {
        if (!runs[i].test) continue;
        const auto group = std::ranges::find_if(groups, [&](const std::vector<size_t>& members) {
            return runs[members.front()].test->data.class_names == runs[i].test->data.class_names;
        });
        if (group == groups.end()) {
            groups.push_back({i});
        } else {
            group->push_back(i);
        }
    }
    if (groups.empty()) return "";
    std::string out =
        "<section><h2>Accuracy by class</h2>\n<p class=\"note\">Bars are on a scale from 0 to 100 %.</p>\n";
    for (const auto& group : groups) out += accuracy_table(runs, group);
    return out + "</section>\n";
}

std::string confusion_matrix(const TestResult& test) {
    const ConfusionMatrix confusion = test.confusion();
    const auto& names = test.data.class_names;
    std::string out = "<h3>Confusion matrix</h3>\n";
    if (confusion.classes() <= kMostClassesInTable) return out + matrix_table(confusion, names);
    return out + matrix_image(confusion) + frequent_confusions(confusion, names);
}

std::string wrong_images(const TestResult& test, const WrongImages& wrong) {
    if (wrong.all == 0) return "<h3>Misclassified images</h3>\n<p>Every test image is classified correctly.</p>\n";
    std::string out = fmt::format(
        "<h3>The most confidently misclassified images</h3>\n<p class=\"note\">{} of {} misclassified images, by the "
        "probability of the wrong class. Bold: the true class.</p>\n<ul class=\"images\">\n",
        wrong.images.size(), wrong.all);
    const auto& names = test.data.class_names;
    const uint8_t* record = wrong.records.data();
    for (const size_t i : wrong.images) {
        const Prediction& prediction = test.predictions[i];
        out += fmt::format("<li>{}<span><b>{}</b></span><span>predicted {}, {:.1f}\u00a0%</span></li>\n",
                           image_of(test.data, record, i), escaped(names[static_cast<size_t>(prediction.label)]),
                           escaped(names[static_cast<size_t>(prediction.predicted)]), 100 * prediction.probability);
        record += test.data.record_bytes();
    }
    return out + "</ul>\n";
}

std::string filter_images(const Filters& filters) {
    const int64_t count = filters.shape[0], channels = filters.shape[3];
    const auto height = static_cast<int>(filters.shape[1]), width = static_cast<int>(filters.shape[2]);
    std::string out = "<h3>Filters of the first convolution</h3>\n";
    if (channels != 1 && channels != 3) {
        return out + fmt::format("<p>They have {} channels, so they are not shown as images.</p>\n", channels);
    }
    float largest = 0;
    for (const float value : filters.values) largest = std::max(largest, std::abs(value));
    out += fmt::format(
        "<p class=\"note\">Weights from -{0:.2f} (dark) over 0 (grey) to {0:.2f} (bright){1}.</p>\n<ul "
        "class=\"filters\">\n",
        largest, channels == 3 ? ", by red, green and blue" : "");
    const std::span<const float> values = filters.values;
    const size_t size = values.size() / static_cast<size_t>(count);
    for (int64_t filter = 0; filter < count; ++filter) {
        std::vector<uint8_t> pixels;
        for (const float value : values.subspan(static_cast<size_t>(filter) * size, size)) {
            pixels.push_back(static_cast<uint8_t>(std::lround(127.5F + 127.5F * value / std::max(largest, 1e-30F))));
        }
        out += fmt::format("<li><img class=\"pixels\" alt=\"filter {}\" src=\"{}\" /></li>\n", filter,
                           png_data_uri(pixels, height, width, static_cast<int>(channels)));
    }
    return out + "</ul>\n";
}

}  // namespace residual::tools
