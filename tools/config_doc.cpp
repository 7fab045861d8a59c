// config-doc: the documents of the configuration keys, made from the code that reads them.
//
//     config-doc --table | --schema     print the Markdown table of keys, or the JSON Schema
//     config-doc --write configs        bring configs/README.md and configs/schema.json up to date
#include <cstdio>
#include <exception>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "engine/core/error.h"
#include "tools/experiment.h"

namespace {

constexpr std::string_view kUsage = "usage: config-doc --table | --schema | --write FOLDER";
constexpr std::string_view kBegin = "<!-- keys: made by config-doc -->\n";
constexpr std::string_view kEnd = "<!-- end of keys -->\n";

std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) throw engine::InputError(path + ": cannot be read");
    return text.str();
}

void write_text(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    if (!(file << text << std::flush)) throw engine::Error(path + ": cannot be written");
}

std::string with_table(std::string text, const std::string& path) {
    const std::size_t begin = text.find(kBegin);
    const std::size_t end = text.find(kEnd);
    if (begin == text.npos || end == text.npos || end < begin) {
        throw engine::InputError(path + ": lacks the two comments around the table of keys");
    }
    const std::size_t table = begin + kBegin.size();
    return text.replace(table, end - table, tools::experiment_key_table());
}

int run(int argc, char** argv) {
    const std::string option = argc > 1 ? argv[1] : "";
    if (option == "--table" && argc == 2) {
        std::fputs(tools::experiment_key_table().c_str(), stdout);
    } else if (option == "--schema" && argc == 2) {
        std::fputs(tools::experiment_schema().c_str(), stdout);
    } else if (option == "--write" && argc == 3) {
        const std::string folder = argv[2];
        const std::string readme = folder + "/README.md";
        write_text(readme, with_table(read_text(readme), readme));
        write_text(folder + "/schema.json", tools::experiment_schema());
    } else {
        throw engine::InputError(std::string(kUsage));
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const engine::InputError& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
