#include "engine/data/record_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <span>
#include <system_error>
#include <utility>

namespace residual {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_of(const std::vector<RecordFiles::File>& files) {
    std::vector<std::string> names;
    for (const auto& file : files) names.push_back(file.name);
    return names;
}

bool contains(const fs::path& folder, const std::string& name) {
    return !name.empty() && holds_any(folder, {name});
}

class Reader {
  public:
    Reader(DataDescription description, RecordFiles files)
        : description_(std::move(description)), files_(std::move(files)) {}

    std::optional<fs::path> locate(const fs::path& folder) const {
        for (const fs::path& place : {folder, folder / files_.archive_folder}) {
            if (holds_any(place, names_of(files_.train)) || holds_any(place, names_of(files_.test))) return place;
        }
        return std::nullopt;
    }

    std::string mistaken_for(const fs::path& path) const {
        const std::string needed = fmt::format("the Python version of {}, but the binary version is needed ({})",
                                               description_.name, files_.archive);
        std::error_code ignored;
        if (fs::is_regular_file(path, ignored)) {
            if (path.filename() == files_.archive) return "it is a file: unpack the archive and give its folder";
            return path.filename() == files_.python_archive ? "it is " + needed : "";
        }
        for (const fs::path& place : {path, path / files_.python_folder}) {
            if (holds_python_version(place)) return fmt::format("{} holds {}", place.string(), needed);
        }
        if (contains(path, files_.archive)) {
            return fmt::format("the archive {} has not been unpacked", (path / files_.archive).string());
        }
        if (contains(path, files_.python_archive)) {
            return fmt::format("{} is {}", (path / files_.python_archive).string(), needed);
        }
        return "";
    }

    std::vector<uint8_t> load_train(const fs::path& folder) const { return read_all(folder, files_.train); }
    std::vector<uint8_t> load_test(const fs::path& folder) const { return read_all(folder, files_.test); }

  private:
    // Files such as `train` occur elsewhere too: in a folder of another name all of them must be there.
    bool holds_python_version(const fs::path& folder) const {
        const auto is_file = [&](const std::string& name) {
            std::error_code ignored;
            return fs::is_regular_file(folder / name, ignored);
        };
        const auto& names = files_.python_files;
        if (names.empty()) return false;
        return folder.filename() == files_.python_folder ? std::any_of(names.begin(), names.end(), is_file)
                                                         : std::all_of(names.begin(), names.end(), is_file);
    }

    std::vector<uint8_t> read_all(const fs::path& folder, const std::vector<RecordFiles::File>& files) const {
        int64_t records = 0;
        for (const auto& file : files) records += file.records;
        std::vector<uint8_t> all(static_cast<size_t>(records * description_.record_bytes()));
        std::span<uint8_t> rest(all);
        for (const auto& file : files) {
            const auto bytes = static_cast<size_t>(file.records * description_.record_bytes());
            read(folder / file.name, rest.first(bytes));
            rest = rest.subspan(bytes);
        }
        return all;
    }

    // Reads one file into `records`, which holds exactly the file's records.
    void read(const fs::path& path, std::span<uint8_t> records) const {
        const auto record = static_cast<size_t>(description_.record_bytes());
        const auto skipped = files_.skipped_labels.size();
        const uint64_t expected = records.size() / record * (skipped + record);
        std::error_code error;
        const uint64_t bytes = fs::file_size(path, error);
        if (error) refuse(path, fmt::format(": {}", error.message()));
        if (bytes != expected) refuse(path, fmt::format(" has {} bytes, but must have {}", bytes, expected));
        errno = 0;
        std::ifstream in(path, std::ios::binary);
        const size_t step = skipped == 0 ? records.size() : record;
        for (size_t at = 0; at < records.size() && in; at += step) {
            for (size_t i = 0; i < skipped; ++i) check_skipped_label(in.get(), i, at / record, path);
            in.read(reinterpret_cast<char*>(records.data() + at), static_cast<std::streamsize>(step));
        }
        if (!in) refuse(path, fmt::format(" cannot be read: {}", std::strerror(errno != 0 ? errno : EIO)));
        check_records(description_, records, path.string(), skipped);
    }

    // Skipped label `i` of record `index`. The caller detects the end of the file.
    void check_skipped_label(int label, size_t i, size_t index, const fs::path& path) const {
        if (label < files_.skipped_labels[i]) return;
        const size_t bytes = files_.skipped_labels.size() + static_cast<size_t>(description_.record_bytes());
        refuse(path, fmt::format(": label {} at byte {}, but labels there are 0 to {}", label, index * bytes + i,
                                 files_.skipped_labels[i] - 1));
    }

    [[noreturn]] void refuse(const fs::path& path, const std::string& what) const {
        throw DataError(fmt::format("{} file {}{}", description_.name, path.string(), what));
    }

    DataDescription description_;
    RecordFiles files_;
};

}  // namespace

DataFormat record_files_format(std::string name, DataDescription description, const RecordFiles& files) {
    const Reader reader(description, files);
    return {.name = std::move(name),
            .description = std::move(description),
            .train_files = names_of(files.train),
            .test_files = names_of(files.test),
            .locate = [reader](const fs::path& folder) { return reader.locate(folder); },
            .load_train = [reader](const fs::path& folder) { return reader.load_train(folder); },
            .load_test = [reader](const fs::path& folder) { return reader.load_test(folder); },
            .mistaken_for = [reader](const fs::path& path) { return reader.mistaken_for(path); }};
}

}  // namespace residual
