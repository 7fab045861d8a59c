#include "engine/core/control_groups.h"

#include <fstream>

namespace residual {

namespace fs = std::filesystem;

// Each line of the file is "number:controllers:group"; version 2 has number 0 and no controllers.
void for_each_control_group(const ControlGroupFiles& files, const std::string& controller,
                            const std::function<void(const fs::path& folder, int version)>& visit) {
    std::ifstream file(files.process_groups);
    for (std::string line; std::getline(file, line);) {
        const size_t first = line.find(':'), second = line.find(':', first + 1);
        if (first == line.npos || second == line.npos) continue;
        const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
        const int version = controllers == ",," ? 2 : 1;
        if (version == 1 && controllers.find("," + controller + ",") == controllers.npos) continue;
        const fs::path root = version == 2 ? files.groups : files.groups / controller;
        fs::path below = fs::path(line.substr(second + 1)).relative_path();
        while (!below.empty()) {
            visit(root / below, version);
            below = below.parent_path();
        }
        visit(root, version);
    }
}

std::optional<uint64_t> number_in(const fs::path& path) {
    std::ifstream file(path);
    uint64_t number = 0;
    if (!(file >> number)) return std::nullopt;
    return number;
}

}  // namespace residual
