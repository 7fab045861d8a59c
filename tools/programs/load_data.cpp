#include "tools/programs/load_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/backend/out_of_memory.h"
#include "engine/data/find_data.h"

namespace residual::tools {
namespace {

// The formats that tools/get_cifar.sh downloads.
constexpr std::array<std::string_view, 2> kFetched = {"cifar10", "cifar100"};

// An installation has the script beside its folder of programs.
std::string download_script() {
    std::error_code unknown;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", unknown);
    const auto installed = program.parent_path().parent_path() / "share/residual/tools/get_cifar.sh";
    return std::filesystem::exists(installed, unknown) ? installed.string() : "tools/get_cifar.sh";
}

std::string remedy_for(const std::string& format) {
    if (std::find(kFetched.begin(), kFetched.end(), format) == kFetched.end()) return "name its folder with --data DIR";
    return fmt::format("get the data with `bash {} {}`, or name its folder with --data DIR", download_script(), format);
}

}  // namespace

Images load_data(const DataConfig& config, TrainingImages wanted) {
    try {
        const DataFormat& format = data_format(config.format);
        const auto folder = find_data(format, config.dir);
        std::vector<uint8_t> train;
        if (wanted == TrainingImages::required || holds_any(folder, format.train_files)) {
            train = format.load_train(folder);
        }
        return {make_data_set(std::move(train), format.load_test(folder)), folder.string()};
    } catch (const DataError& error) {
        throw DataError(fmt::format("{}; {}", error.what(), remedy_for(config.format)));
    } catch (const std::exception& error) {
        rethrow_with_purpose(error, "the data set");
    }
}

}  // namespace residual::tools
