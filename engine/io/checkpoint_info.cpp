#include "engine/io/checkpoint_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "engine/core/checksum.h"

namespace residual {

namespace {

using Json = nlohmann::json;

// Version 1 had a single checksum, of the tensors only; version 2 had no class names and is still supported.
constexpr int64_t kFormatVersion = 3, kOldestVersion = 2;
constexpr const char* kVersionKey = "format_version";
constexpr const char* kChecksumKey = "checksum";
constexpr const char* kDamaged = "the file is damaged, use another checkpoint";

uint32_t checksum_of(const Metadata& metadata) {
    uint32_t sum = 0;
    for (const auto& [key, value] : metadata) {
        if (key == kChecksumKey) continue;
        // Includes the terminating zero bytes, so that text moved from a key to its value changes the sum.
        sum = crc32_of(std::as_bytes(std::span(key.c_str(), key.size() + 1)), sum);
        sum = crc32_of(std::as_bytes(std::span(value.c_str(), value.size() + 1)), sum);
    }
    return sum;
}

std::string rows_text(const RowProgress& rows) {
    return Json{{"training", rows.training},
                {"evaluation", rows.evaluation},
                {"cross_entropy", rows.sums.cross_entropy},
                {"weight_penalty", rows.sums.weight_penalty},
                {"correct", rows.sums.correct},
                {"samples", rows.sums.samples}}
        .dump();
}

// Reads and checks the metadata entries of one file.
class Reader {
  public:
    Reader(const std::string& name, const Metadata& metadata) : name_(name), metadata_(metadata) {}

    [[noreturn]] void refuse(const std::string& what) const { throw InputError(fmt::format("{}: {}", name_, what)); }

    const std::string& text(const char* key) const {
        const auto found = metadata_.find(key);
        if (found == metadata_.end()) refuse(fmt::format("the metadata \"{}\" is missing; {}", key, kDamaged));
        return found->second;
    }

    int64_t integer(const char* key, int base = 10) const { return parsed<int64_t>(key, base); }
    double real(const char* key) const { return parsed<double>(key); }

    Json object(const char* key) const {
        Json value = Json::parse(text(key), nullptr, /*allow_exceptions=*/false);
        if (!value.is_object()) refuse(fmt::format("the metadata \"{}\" is not a JSON object; {}", key, kDamaged));
        return value;
    }

  private:
    template <class Number, class... Base>
    Number parsed(const char* key, Base... base) const {
        const std::string& digits = text(key);
        Number number{};
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base...);
        if (error != std::errc() || end != digits.data() + digits.size()) {
            refuse(fmt::format("the metadata \"{}\" is \"{}\", not a number; {}", key, digits, kDamaged));
        }
        return number;
    }

    const std::string& name_;
    const Metadata& metadata_;
};

// Checked before the version, which may itself be damaged; so every version after 1 must have this checksum.
void check_metadata(const Reader& reader, const Metadata& metadata) {
    const std::string found = checksum_text(checksum_of(metadata));
    if (reader.text(kChecksumKey) != found) {
        reader.refuse(fmt::format("the checksum of the metadata is {}, but the file claims {}; {}", found,
                                  reader.text(kChecksumKey), kDamaged));
    }
}

[[noreturn]] void refuse_version(const std::string& name, int64_t version) {
    throw FormatVersionError(
        fmt::format("{}: the file has format version {}, but this program reads versions {} to {}; {}", name, version,
                    kOldestVersion, kFormatVersion,
                    version > kFormatVersion ? "use a newer program" : "use the program that wrote it"));
}

bool is_checkpoint(const Metadata& metadata) {
    return metadata.contains(kVersionKey) || metadata.contains(kChecksumKey);
}

// Verifies the checksum of the metadata too.
int64_t version_of(const Reader& reader, const std::string& name, const Metadata& metadata) {
    const int64_t version = reader.integer(kVersionKey);
    if (version == 1) refuse_version(name, version);
    check_metadata(reader, metadata);
    if (version < kOldestVersion || version > kFormatVersion) refuse_version(name, version);
    return version;
}

int64_t step_of(const Reader& reader) {
    const int64_t step = reader.integer("step");
    if (step < 0) reader.refuse(fmt::format("the step is {}; {}", step, kDamaged));
    return step;
}

void check_tensors(const Reader& reader, std::span<const TensorView> tensors) {
    const Json claimed = reader.object("checksums");
    if (claimed.size() != tensors.size()) {
        reader.refuse(fmt::format("{} tensors, but {} checksums; {}", tensors.size(), claimed.size(), kDamaged));
    }
    for (const TensorView& tensor : tensors) {
        const auto entry = claimed.find(tensor.name);
        if (entry == claimed.end()) {
            reader.refuse(fmt::format("the tensor {} has no checksum; {}", tensor.name, kDamaged));
        }
        const std::string sum = checksum_text(crc32_of(tensor.data));
        if (*entry != sum) {
            reader.refuse(fmt::format("the tensor {} has the checksum {}, but the file claims {}; {}", tensor.name, sum,
                                      entry->dump(), kDamaged));
        }
    }
}

std::vector<std::string> class_names_of(const Reader& reader) {
    constexpr const char* kKey = "class_names";
    const Json json = Json::parse(reader.text(kKey), nullptr, /*allow_exceptions=*/false);
    const auto is_text = [](const Json& name) { return name.is_string(); };
    if (!json.is_array() || json.empty() || !std::all_of(json.begin(), json.end(), is_text)) {
        reader.refuse(fmt::format("the metadata \"{}\" is not a JSON list of strings; {}", kKey, kDamaged));
    }
    return json.get<std::vector<std::string>>();
}

RowProgress rows_of(const Reader& reader, int64_t step) {
    const Json json = reader.object("rows");
    const auto read = [&](const char* key, auto& value) {
        using Value = std::remove_reference_t<decltype(value)>;
        const Json found = json.value(key, Json());
        if (!(std::is_integral_v<Value> ? found.is_number_integer() : found.is_number())) {
            reader.refuse(fmt::format("the metadata \"rows\" has no number \"{}\"; {}", key, kDamaged));
        }
        value = found.get<Value>();
    };
    RowProgress rows;
    read("training", rows.training);
    read("evaluation", rows.evaluation);
    read("cross_entropy", rows.sums.cross_entropy);
    read("weight_penalty", rows.sums.weight_penalty);
    read("correct", rows.sums.correct);
    read("samples", rows.sums.samples);
    const auto in_run = [&](int64_t row) { return row >= 0 && row <= step; };
    if (!in_run(rows.training) || !in_run(rows.evaluation) || rows.sums.samples < 0 ||
        !std::isfinite(rows.sums.cross_entropy) || !std::isfinite(rows.sums.weight_penalty)) {
        reader.refuse(
            fmt::format("the metadata \"rows\" is {}, impossible at step {}; {}", json.dump(), step, kDamaged));
    }
    return rows;
}

}  // namespace

std::string checksum_text(uint32_t checksum) {
    return fmt::format("{:08x}", checksum);
}

Metadata metadata_of(const CheckpointInfo& info, std::span<const TensorView> tensors) {
    Json checksums = Json::object();
    for (const TensorView& tensor : tensors) checksums.emplace(tensor.name, checksum_text(crc32_of(tensor.data)));
    Metadata metadata{{kVersionKey, std::to_string(kFormatVersion)},
                      {"config", info.config},
                      {"step", std::to_string(info.step)},
                      {"class_names", Json(info.class_names).dump()},
                      {"data_fingerprint", checksum_text(info.data_fingerprint)},
                      {"rows", rows_text(info.rows)},
                      {"checksums", checksums.dump()}};
    if (!info.environment.empty()) metadata["environment"] = info.environment;
    if (info.test_accuracy) metadata["test_accuracy"] = fmt::format("{}", *info.test_accuracy);
    metadata[kChecksumKey] = checksum_text(checksum_of(metadata));
    return metadata;
}

std::optional<CheckpointInfo> checkpoint_info_of(const std::string& name, const Metadata& metadata,
                                                 std::span<const TensorView> tensors) {
    if (!is_checkpoint(metadata)) return std::nullopt;
    const Reader reader(name, metadata);
    const int64_t version = version_of(reader, name, metadata);
    check_tensors(reader, tensors);

    CheckpointInfo info;
    info.config = reader.text("config");
    info.step = step_of(reader);
    if (version > kOldestVersion) info.class_names = class_names_of(reader);
    info.data_fingerprint = static_cast<uint32_t>(reader.integer("data_fingerprint", 16));
    if (metadata.contains("test_accuracy")) {
        info.test_accuracy = reader.real("test_accuracy");
        if (!(*info.test_accuracy >= 0 && *info.test_accuracy <= 1)) {
            reader.refuse(fmt::format("the test accuracy is {}; {}", *info.test_accuracy, kDamaged));
        }
    }
    info.rows = rows_of(reader, info.step);
    if (metadata.contains("environment")) info.environment = reader.text("environment");
    return info;
}

std::optional<int64_t> checkpoint_step_of(const std::string& name, const Metadata& metadata) {
    if (!is_checkpoint(metadata)) return std::nullopt;
    const Reader reader(name, metadata);
    version_of(reader, name, metadata);
    return step_of(reader);
}

}  // namespace residual
