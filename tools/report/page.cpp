#include "tools/report/page.h"

#include <fmt/format.h>

#include "engine/backend/build_info.h"
#include "tools/report/markup.h"
#include "tools/report/sections.h"
#include "tools/report/style.h"

namespace residual::tools {
namespace {

std::string title_of(std::span<const ReportRun> runs) {
    if (runs.size() == 1) return fmt::format("{} ({})", runs.front().name, runs.front().network());
    return fmt::format("{} training runs", runs.size());
}

}  // namespace

std::string report_page(std::span<const ReportRun> runs, const std::string& command) {
    const std::string title = escaped(title_of(runs));
    std::string page = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n<meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\" />\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n"
        "<h1>{}</h1>\n",
        title, kStyle, title);
    page += summary(runs) + curves(runs) + class_accuracies(runs);
    for (size_t i = 0; i < runs.size(); ++i) page += run_section(runs[i], static_cast<int>(i));
    return page + fmt::format(
                      "<footer><p class=\"note\">Made by Residual {} with <code>{}</code></p></footer>\n"
                      "</body>\n</html>\n",
                      escaped(version_and_commit()), escaped(command));
}

}  // namespace residual::tools
