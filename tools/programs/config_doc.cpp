// config-doc: generates the documentation of the configuration keys from the code that reads them.
//
//     config-doc --table | --schema     print the Markdown table of keys, or the JSON Schema
//     config-doc --write configs        update configs/README.md and configs/schema.json
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "engine/core/error.h"
#include "tools/programs/program.h"
#include "tools/run/experiment.h"

namespace {

constexpr std::string_view kBegin = "<!-- keys: made by config-doc -->\n";
constexpr std::string_view kEnd = "<!-- end of keys -->\n";

std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) throw residual::InputError(path + ": cannot be read");
    return text.str();
}

void write_text(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    if (!(file << text << std::flush)) throw residual::Error(path + ": cannot be written");
}

std::string with_table(std::string text, const std::string& path) {
    const std::size_t begin = text.find(kBegin);
    const std::size_t end = text.find(kEnd);
    if (begin == text.npos || end == text.npos || end < begin) {
        throw residual::InputError(path + ": the two comments around the table of keys are missing");
    }
    const std::size_t table = begin + kBegin.size();
    return text.replace(table, end - table, residual::tools::experiment_key_table());
}

struct Options {
    bool table = false, schema = false;
    std::string folder;
};

int run(const Options& options) {
    if (options.table) {
        std::fputs(residual::tools::experiment_key_table().c_str(), stdout);
    } else if (options.schema) {
        std::fputs(residual::tools::experiment_schema().c_str(), stdout);
    } else {
        const std::string readme = options.folder + "/README.md";
        write_text(readme, with_table(read_text(readme), readme));
        write_text(options.folder + "/schema.json", residual::tools::experiment_schema());
    }
    return residual::tools::kDone;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Generates the documentation of the configuration keys.", "config-doc");
    Options options;
    auto* group = app.add_option_group("Output", "what to generate")->require_option(1);
    group->add_flag("--table", options.table, "print the Markdown table of keys");
    group->add_flag("--schema", options.schema, "print the JSON Schema");
    residual::tools::add_path(*group, "--write", options.folder, "update README.md and schema.json in FOLDER")
        ->type_name("FOLDER");
    app.footer(residual::tools::kExitCodes);
    return residual::tools::run_program(app, argc, argv, [&] { return run(options); });
}
