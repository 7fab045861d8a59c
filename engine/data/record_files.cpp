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

bool contains(const fs::path& folder, const std::string& name) {
    std::error_code ignored;
    return !name.empty() && fs::exists(folder / name, ignored);
}

class Reader {
  public:
    Reader(DataDescription description, RecordFiles files)
        : description_(std::move(description)), files_(std::move(files)) {}

    std::optional<fs::path> locate(const fs::path& folder) const {
        for (const fs::path& place : {folder, folder / files_.archive_folder}) {
            if (holds_any(place, files_.train) || holds_any(place, files_.test)) return place;
        }
        return std::nullopt;
    }

    std::string mistaken_for(const fs::path& path) const {
        std::error_code ignored;
        const std::string& name = description_.name;
        if (fs::is_regular_file(path, ignored)) return "it is a file: unpack the archive and give its folder";
        for (const fs::path& place : {path, path / files_.python_folder}) {
            const auto is_file = [&](const std::string& file) { return fs::is_regular_file(place / file, ignored); };
            if (std::any_of(files_.python_files.begin(), files_.python_files.end(), is_file)) {
                return fmt::format("{} holds the Python version of {}, but the binary version is needed ({})",
                                   place.string(), name, files_.archive);
            }
        }
        if (contains(path, files_.archive)) {
            return fmt::format("the archive {} has not been unpacked", (path / files_.archive).string());
        }
        if (contains(path, files_.python_archive)) {
            return fmt::format("{} is the Python version of {}, but the binary version is needed ({})",
                               (path / files_.python_archive).string(), name, files_.archive);
        }
        return "";
    }

    DataSet load(const fs::path& folder) const {
        return make_data_set(read_all(folder, files_.train), read_all(folder, files_.test));
    }

  private:
    static bool holds_any(const fs::path& folder, const std::vector<RecordFiles::File>& files) {
        return std::any_of(files.begin(), files.end(), [&](const auto& file) { return contains(folder, file.name); });
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

DataFormat record_files_format(std::string name, DataDescription description, RecordFiles files) {
    const Reader reader(description, std::move(files));
    return {.name = std::move(name),
            .description = std::move(description),
            .locate = [reader](const fs::path& folder) { return reader.locate(folder); },
            .load = [reader](const fs::path& folder) { return reader.load(folder); },
            .mistaken_for = [reader](const fs::path& folder) { return reader.mistaken_for(folder); }};
}

}  // namespace residual
