#include <fmt/format.h>

#include "tools/report/chart.h"
#include "tools/report/command.h"
#include "tools/report/markup.h"
#include "tools/report/sections.h"

namespace residual::tools {
namespace {

std::string remarks(const ReportRun& run) {
    if (run.remarks.empty()) return "";
    std::string out = "<ul class=\"remarks\">";
    for (const std::string& remark : run.remarks) out += fmt::format("<li>{}</li>", escaped(remark));
    return out + "</ul>\n";
}

std::string evaluation(const ReportRun& run) {
    const TestResult& test = *run.test;
    return fmt::format(
        "<p>Checkpoint {}{}, {} test images of {}: error {}, loss {:.4f}, top-5 accuracy {}, expected calibration "
        "error {} "
        "<small>(15 bins)</small>. Evaluated on {}.</p>\n",
        escaped(run.checkpoint.filename().string()),
        run.info ? fmt::format(" at step {}", tick_label(static_cast<double>(run.info->step))) : "",
        tick_label(static_cast<double>(test.images())), escaped(test.folder), percent(1 - test.averages.accuracy),
        test.averages.loss, percent(top_k_accuracy(test.logits, test.labels)),
        percent(expected_calibration_error(test.predictions)), escaped(test.device));
}

std::string configuration(const ReportRun& run) {
    if (!run.experiment) return "";
    const std::string how =
        run.config.empty() ? "save the keys below as a file, and name it and a new folder" : "name a new folder";
    const std::string file = run.config.empty() ? "FILE" : run.config.string();
    return fmt::format(
        "<h3>Configuration</h3>\n<p>To train it again, unless it started from other weights (<code>--init</code>, "
        "which "
        "is not recorded), {}: <code>{} NEW_FOLDER</code></p>\n"
        "<details><summary>All keys</summary><pre>{}</pre></details>\n",
        how, escaped(command_line({"resnet-train", file, "--out"})), escaped(to_json(*run.experiment)));
}

}  // namespace

std::string run_section(const ReportRun& run, int index) {
    std::string out = fmt::format("<section id=\"{}\"><h2>{} {}</h2>\n<p class=\"note\">{}, folder {}</p>\n",
                                  anchor(index).substr(1), swatch(index), escaped(run.name),
                                  escaped(run.experiment ? run.experiment->model.title() : run.network()),
                                  escaped(run.folder.string()));
    out += remarks(run);
    if (run.test) out += evaluation(run) + confusion_matrix(*run.test) + wrong_images(*run.test, run.wrong);
    if (run.filters) out += filter_images(*run.filters);
    return out + configuration(run) + "</section>\n";
}

}  // namespace residual::tools
