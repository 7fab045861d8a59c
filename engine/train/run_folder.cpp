#include "engine/train/run_folder.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <span>
#include <system_error>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"

namespace engine {

RunFolder::RunFolder(std::filesystem::path path, const std::string& config) : path_(std::move(path)) {
    const auto config_path = path_ / "config.json";
    const auto metrics_path = path_ / "metrics.jsonl";
    if (std::filesystem::exists(config_path) || std::filesystem::exists(metrics_path)) {
        throw InputError(
            fmt::format("{}: the folder already holds a run; choose another with --out, or remove it", path_.string()));
    }
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    if (error) throw Error(fmt::format("{}: the folder cannot be made: {}", path_.string(), error.message()));
    write_file_atomically(config_path, std::as_bytes(std::span(config)));
    metrics_.open(metrics_path, std::ios::app);
    if (!metrics_) throw Error(fmt::format("{}: the file cannot be opened for writing", metrics_path.string()));
}

std::filesystem::path RunFolder::checkpoint_path(int64_t step) const {
    return path_ / fmt::format("step-{:08}.safetensors", step);
}

void RunFolder::write_line(const std::string& line) {
    metrics_ << line << '\n' << std::flush;
    if (!metrics_)
        throw Error(fmt::format("{}: writing failed; is the disk full?", (path_ / "metrics.jsonl").string()));
}

void RunFolder::write(const TrainingRow& row) {
    write_line(nlohmann::ordered_json{{"step", row.step},
                                      {"train_loss", row.train_loss},
                                      {"train_cross_entropy", row.train_cross_entropy},
                                      {"train_accuracy", row.train_accuracy},
                                      {"learning_rate", row.learning_rate},
                                      {"images_per_second", row.images_per_second}}
                   .dump());
}

void RunFolder::write(const EvaluationRow& row) {
    write_line(
        nlohmann::ordered_json{{"step", row.step}, {"test_loss", row.test_loss}, {"test_accuracy", row.test_accuracy}}
            .dump());
}

void RunFolder::prune(int64_t keep) const {
    static const std::regex pattern(R"(step-(\d{8,18})\.safetensors)");
    std::map<int64_t, std::filesystem::path> checkpoints;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
        std::smatch match;
        const std::string name = entry.path().filename().string();
        if (std::regex_match(name, match, pattern)) checkpoints[std::stoll(match[1])] = entry.path();
    }
    auto excess = static_cast<int64_t>(checkpoints.size()) - keep;
    for (auto oldest = checkpoints.begin(); excess > 0; ++oldest, --excess) std::filesystem::remove(oldest->second);
}

}  // namespace engine
