// resnet-report: an HTML page about training runs.
//
//     resnet-report RUN... [-o report.html] [--data DIR] [--device D]
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "engine/train/device.h"
#include "tools/programs/output_file.h"
#include "tools/programs/program.h"
#include "tools/programs/standard_streams.h"
#include "tools/report/command.h"
#include "tools/report/page.h"
#include "tools/run/session.h"

namespace {

using namespace residual;
using namespace residual::tools;

struct Options {
    std::vector<std::string> runs;
    std::string out = "report.html", data, device;
};

// An unusable device is an error of the command line, not something that is missing in a run.
void check_device(const std::string& device) {
    if (device.empty()) return;
    const std::vector<std::string> overrides = {text_override("train.device", device)};
    make_backend(experiment_from_json("{}", "the command line", overrides).train);
}

void check_data(const std::string& folder) {
    std::error_code unknown;
    if (!folder.empty() && !std::filesystem::is_directory(folder, unknown)) {
        throw InputError("--data " + folder + ": there is no such folder");
    }
}

int write_report(const Options& options, const std::string& command) {
    check_output_path("-o", options.out);
    check_data(options.data);
    check_device(options.device);
    std::vector<ReportRun> runs;
    std::set<std::filesystem::path> seen;
    for (const std::string& folder : options.runs) {
        if (!seen.insert(whole_path(folder)).second) continue;
        fmt::print("reading {}\n", printable(folder));
        std::fflush(stdout);  // The evaluation takes a while.
        runs.push_back(read_run(folder, {.data = options.data, .device = options.device, .config = ""}));
        for (const std::string& remark : runs.back().remarks) fmt::print("  {}\n", printable(remark));
    }
    set_names(runs);
    write_output(options.out, report_page(runs, command));
    fmt::print("report {}\n", printable(options.out));
    return kDone;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Writes an HTML page about training runs: results, curves, classes, misclassified images.",
                 "resnet-report");
    Options options;
    add_path(app, "runs", options.runs, "folders of runs of resnet-train")->required();
    add_path(app, "-o,--out", options.out, "the page")->capture_default_str();
    add_path(app, "--data", options.data,
             "folder of the data set's binary files, for the evaluation of the last checkpoints (see docs/programs.md "
             "for the default)");
    app.add_option("--device", options.device,
                   "cuda, cuda:N (GPU number N), cpu or auto (a GPU if there is one; default)");
    app.footer(kExitCodes);
    return run_program(app, argc, argv, [&] {
        std::vector<std::string> command = {"resnet-report"};
        command.insert(command.end(), argv + 1, argv + argc);
        return write_report(options, command_line(command));
    });
}
