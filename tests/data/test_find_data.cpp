// Where a data set is searched, and what the message says if it is not there.
#include "engine/data/find_data.h"

#include <filesystem>
#include <optional>
#include <string>

#include "tests/catch.h"
#include "tests/io/temporary_folder.h"
#include "tests/support/environment.h"

namespace {

using residual::data_format;
using residual::DataError;
using residual::find_data;
using test::Environment;
using tests::TemporaryFolder;

std::filesystem::path find_cifar10(const std::optional<std::string>& configured) {
    return find_data(data_format("cifar10"), configured);
}

// Files are found by their names. Makes the folders that are missing.
void write_file(const std::filesystem::path& path) {
    std::filesystem::create_directories(path.parent_path());
    tests::write_bytes(path, {});
}

TEST_CASE("CIFAR-10 is searched in data.dir, else CIFAR10_DIR, else the cache", "[data]") {
    const TemporaryFolder data, home;
    write_file(data / "data_batch_1.bin");
    const auto cache = home / ".cache/residual/cifar10";
    const std::string named = data.path().string(), absent = (home / "absent").string();
    const Environment no_xdg("XDG_CACHE_HOME", std::nullopt), no_name("CIFAR10_DIR", std::nullopt);
    const Environment of_home("HOME", home.path().string());

    CHECK(find_cifar10(named) == data.path());
    CHECK_THROWS_WITH(find_cifar10(absent), ContainsSubstring(absent) && ContainsSubstring("data.dir"));
    CHECK_THROWS_AS(find_cifar10(std::nullopt), DataError);
    CHECK_THROWS_WITH(find_cifar10(std::nullopt),
                      ContainsSubstring("data.dir and CIFAR10_DIR are not set") && ContainsSubstring(cache.string()));

    std::filesystem::create_directories(cache);
    write_file(cache / "test_batch.bin");
    CHECK(find_cifar10(std::nullopt) == cache);
    {
        const Environment other("XDG_CACHE_HOME", (home / "elsewhere").string());
        CHECK_THROWS_WITH(find_cifar10(std::nullopt), ContainsSubstring("elsewhere/residual/cifar10"));
        const auto archive = home / "elsewhere/residual/cifar10/cifar-10-batches-bin";
        std::filesystem::create_directories(archive);
        write_file(archive / "data_batch_1.bin");
        CHECK(find_cifar10(std::nullopt) == archive);
    }
    {
        const Environment name("CIFAR10_DIR", named);
        CHECK(find_cifar10(std::nullopt) == data.path());
    }
    {
        // The cache, which does hold data here, is not searched if another folder is given.
        const Environment name("CIFAR10_DIR", absent);
        CHECK_THROWS_WITH(find_cifar10(std::nullopt), ContainsSubstring(absent) && ContainsSubstring("CIFAR10_DIR"));
        CHECK_THROWS_AS(find_cifar10(absent), DataError);
    }
}

TEST_CASE("the message says what a folder without the files holds", "[data]") {
    const TemporaryFolder folder;
    const std::string version = GENERATE(std::string("cifar10"), std::string("cifar100"));
    const std::string dashed = version == "cifar10" ? "cifar-10" : "cifar-100";
    const auto refused = [&](const std::filesystem::path& path, const std::string& message) {
        CHECK_THROWS_WITH(find_data(data_format(version), path.string()),
                          ContainsSubstring(path.string()) && ContainsSubstring(message));
    };
    const auto write = [&](const std::string& name) { write_file(folder / name); };

    SECTION("the archive itself") {
        write(dashed + "-binary.tar.gz");
        refused(folder / (dashed + "-binary.tar.gz"), "it is a file: unpack the archive");
        refused(folder.path(), dashed + "-binary.tar.gz has not been unpacked");
    }
    SECTION("the Python version") {
        const std::string name = version == "cifar10" ? "cifar-10-batches-py" : "cifar-100-python";
        std::filesystem::create_directory(folder / name);
        write(name + (version == "cifar10" ? "/data_batch_1" : "/train"));
        const std::string message = "holds the Python version of " + data_format(version).description.name;
        refused(folder.path(), message);
        refused(folder / name, message);
    }
    SECTION("the archive of the Python version") {
        write(dashed + "-python.tar.gz");
        refused(folder.path(), "is the Python version of ");
    }
    SECTION("the other data set") {
        const bool ten = version == "cifar10";
        write(ten ? "train.bin" : "test_batch.bin");
        refused(folder.path(), ten ? "it holds CIFAR-100: set data.format to \"cifar100\""
                                   : "it holds CIFAR-10: set data.format to \"cifar10\"");
    }
}

TEST_CASE("a data folder in a variable may start with ~", "[data]") {
    const TemporaryFolder home;
    write_file(home / "d/data_batch_1.bin");
    write_file(home / "cache/residual/cifar10/test_batch.bin");
    const Environment of_home("HOME", home.path().string());
    {
        const Environment named("CIFAR10_DIR", "~/d");
        CHECK(find_cifar10(std::nullopt) == home / "d");
    }
    {
        const Environment named("CIFAR10_DIR", "~bob/d");
        CHECK_THROWS_AS(find_cifar10(std::nullopt), DataError);
        CHECK_THROWS_WITH(find_cifar10(std::nullopt), ContainsSubstring("CIFAR10_DIR: ~bob/d: ~ is expanded only"));
    }
    const Environment named("CIFAR10_DIR", std::nullopt), cache("XDG_CACHE_HOME", "~/cache");
    CHECK(find_cifar10(std::nullopt) == home / "cache/residual/cifar10");
}

TEST_CASE("the message says what is in the place of the folder", "[data]") {
    const TemporaryFolder folder;
    const auto place = folder / "place";
    const auto refused = [&](const std::string& message) {
        CHECK_THROWS_WITH(find_cifar10(place.string()),
                          ContainsSubstring(place.string() + " (from data.dir); " + message));
    };
    const std::string looked = " (looked for data_batch_1.bin, ..., test_batch.bin)";

    SECTION("nothing") {
        refused("there is no such folder" + looked);
    }
    SECTION("an empty folder") {
        std::filesystem::create_directory(place);
        refused("it is empty" + looked);
    }
    SECTION("a folder of other files") {
        for (const char* name : {"b.png", "a.txt", "d.png"}) write_file(place / name);
        refused("it holds a.txt, b.png, d.png" + looked);
        for (const char* name : {"c.png", "e.png", "f/x"}) write_file(place / name);
        refused("it holds a.txt, b.png, c.png, d.png and 2 more" + looked);
    }
    SECTION("a file") {
        write_file(place);
        refused("it is a file, not a folder" + looked);
    }
    SECTION("a broken link") {
        std::filesystem::create_symlink("elsewhere", place);
        refused("it is a link to elsewhere, which does not exist" + looked);
    }
    SECTION("a link to itself") {
        std::filesystem::create_symlink("place", place);
        refused("it cannot be read: Too many levels of symbolic links" + looked);
    }
}

TEST_CASE("the message says where the data is if that is near", "[data]") {
    const TemporaryFolder folder;
    const auto refused = [&](const std::string& path, const std::string& message) {
        CHECK_THROWS_WITH(find_cifar10((folder / path).string()), ContainsSubstring(message));
    };

    SECTION("in the folder above") {
        write_file(folder / "d/data_batch_1.bin");
        write_file(folder / "d/inner/x");
        const std::string above = "; its files are in " + (folder / "d").string();
        refused("d/inner", "it holds x" + (" (looked for data_batch_1.bin, ..., test_batch.bin)" + above));
        refused("d/inner/", above);
        refused("d/nothing", above);
        refused("d/data_batch_1.bin", "it is a file, not a folder (looked for ");
        refused("d/data_batch_1.bin", above);
        const auto before = std::filesystem::current_path();
        std::filesystem::current_path(folder / "d/inner");
        CHECK_THROWS_WITH(find_cifar10("."), ContainsSubstring(above));
        std::filesystem::current_path(before);
    }
    SECTION("beside the folder") {
        write_file(folder / "cifar-10-batches-bin/test_batch.bin");
        refused("d", "; its files are in " + (folder / "cifar-10-batches-bin").string());
    }
    SECTION("two folders below") {
        write_file(folder / "d/a/x");
        write_file(folder / "d/b/cifar-10-batches-bin/test_batch.bin");
        refused("d", "; its files are in " + (folder / "d/b/cifar-10-batches-bin").string());
    }
    SECTION("in the archive beside the folder") {
        write_file(folder / "cifar-10-binary.tar.gz");
        refused("cifar-10-batches-bin", "there is no such folder (looked for ");
        refused("cifar-10-batches-bin", "; the archive " + (folder / "cifar-10-binary.tar.gz").string() + " has not");
    }
    SECTION("as the Python version below, as torchvision leaves it") {
        write_file(folder / "d/torchvision/cifar-10-batches-py/data_batch_1");
        write_file(folder / "d/torchvision/cifar-10-python.tar.gz");
        refused("d", (folder / "d/torchvision/cifar-10-batches-py").string() + " holds the Python version of CIFAR-10");
        refused("d/torchvision/cifar-10-python.tar.gz",
                "it is the Python version of CIFAR-10, but the binary version "
                "is needed (cifar-10-binary.tar.gz)");
    }
    SECTION("files that only look like the Python version") {
        write_file(folder / "d/programs/test_batch");
        refused("d", "it holds programs (looked for data_batch_1.bin, ..., test_batch.bin)");
        write_file(folder / "d/programs/data_batch_1");
        refused("d", "programs holds the Python version of CIFAR-10");
    }
}

}  // namespace
