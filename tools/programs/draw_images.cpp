// draw-images OUT [--seed N]: writes synthetic images in CIFAR-10's layout, six binary files and a list of classes.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "engine/core/error.h"
#include "engine/data/cifar10.h"
#include "engine/io/atomic_file.h"
#include "tools/programs/drawn_images.h"
#include "tools/programs/program.h"

namespace {

void write_images(const std::filesystem::path& folder, uint64_t seed) {
    using residual::Cifar10;
    std::error_code error;
    if (std::filesystem::exists(folder, error) && !std::filesystem::is_directory(folder, error)) {
        throw residual::InputError(folder.string() + ": not a folder; choose another path");
    }
    std::filesystem::create_directories(folder, error);
    if (error) throw residual::Error("cannot create the folder " + folder.string() + ": " + error.message());

    std::vector<std::string> names(Cifar10::kTrainFiles.begin(), Cifar10::kTrainFiles.end());
    names.push_back(Cifar10::kTestFile);
    for (size_t file = 0; file < names.size(); ++file) {
        const size_t first = file * Cifar10::kRecordsPerFile;
        const std::vector<uint8_t> records =
            residual::tools::draw_images(seed, static_cast<uint32_t>(first), Cifar10::kRecordsPerFile);
        residual::write_file_atomically(folder / names[file], std::as_bytes(std::span(records)));
    }
    std::string classes;
    for (const char* name : residual::tools::kImageClasses) classes.append(name).append("\n");
    residual::write_file_atomically(folder / Cifar10::kClassNamesFile, std::as_bytes(std::span(classes)));
}

}  // namespace

int main(int argc, char** argv) {
    std::string folder;
    uint64_t seed = 0;
    CLI::App app(
        "Generates synthetic images of ten classes, 50,000 for training and 10,000 for test, in CIFAR-10's binary "
        "format.",
        "draw-images");
    residual::tools::add_path(app, "OUT", folder, "the folder to write to")->required();
    app.add_option("--seed", seed, "seed of the images; the same seed gives the same bytes on every machine")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.footer(residual::tools::kExitCodes);
    return residual::tools::run_program(app, argc, argv, [&] {
        write_images(folder, seed);
        const residual::DataDescription& data = residual::cifar10_description();
        std::printf("%s: %lld training and %lld test images, seed %llu\n", folder.c_str(),
                    static_cast<long long>(data.train_records), static_cast<long long>(data.test_records),
                    static_cast<unsigned long long>(seed));
        return residual::tools::kDone;
    });
}
