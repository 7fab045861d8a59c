// draw-pictures OUT [--seed N]: writes the built-in pictures as CIFAR-10's six binary files and its list of classes.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "engine/core/error.h"
#include "engine/data/cifar10.h"
#include "engine/data/pictures.h"
#include "engine/io/atomic_file.h"
#include "tools/program.h"

namespace {

void write_pictures(const std::filesystem::path& folder, uint64_t seed) {
    using engine::Cifar10;
    std::error_code error;
    if (std::filesystem::exists(folder, error) && !std::filesystem::is_directory(folder, error)) {
        throw engine::InputError(folder.string() + ": not a folder; name another");
    }
    std::filesystem::create_directories(folder, error);
    if (error) throw engine::Error("cannot create the folder " + folder.string() + ": " + error.message());

    std::vector<std::string> names(Cifar10::kTrainFiles.begin(), Cifar10::kTrainFiles.end());
    names.push_back(Cifar10::kTestFile);
    for (size_t file = 0; file < names.size(); ++file) {
        const size_t first = file * Cifar10::kRecordsPerFile;
        const std::vector<uint8_t> records =
            engine::draw_pictures(seed, static_cast<uint32_t>(first), Cifar10::kRecordsPerFile);
        engine::write_file_atomically(folder / names[file], std::as_bytes(std::span(records)));
    }
    std::string classes;
    for (const char* name : engine::kPictureClasses) classes.append(name).append("\n");
    engine::write_file_atomically(folder / Cifar10::kClassNamesFile, std::as_bytes(std::span(classes)));
}

}  // namespace

int main(int argc, char** argv) {
    std::string folder;
    uint64_t seed = 0;
    CLI::App app("Draws ten classes of images, as many as CIFAR-10 has, in CIFAR-10's binary files.", "draw-pictures");
    app.add_option("OUT", folder, "the folder to write to")->required();
    app.add_option("--seed", seed, "the same seed draws the same bytes on every machine")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    return tools::run_program(app, argc, argv, [&] {
        write_pictures(folder, seed);
        const engine::DataDescription& data = engine::cifar10_description();
        std::printf("%s: %lld training and %lld test pictures, seed %llu\n", folder.c_str(),
                    static_cast<long long>(data.train_records), static_cast<long long>(data.test_records),
                    static_cast<unsigned long long>(seed));
        return tools::kDone;
    });
}
