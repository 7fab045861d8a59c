#include "engine/io/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "engine/core/error.h"

namespace residual {
namespace {

using Json = nlohmann::json;

// The format sets no limit. This one is far above any real tensor and keeps messages that quote a shape short.
constexpr size_t kMaxDimensions = 32;

// A SAX handler, so that untrusted input cannot build a deep or large JSON tree. Depth 1 holds tensors and the
// metadata, depth 2 their fields, depth 3 the numbers of "shape" and "data_offsets".
class HeaderReader {
  public:
    explicit HeaderReader(const std::string& file) : file_(file) {}

    SafetensorsHeader take() { return std::move(header_); }

    bool start_object(size_t) {
        if (depth_ == 0) {
            depth_ = 1;
        } else if (depth_ == 1) {
            depth_ = 2;
            in_metadata_ = key_ == "__metadata__";
            if (!in_metadata_) begin_tensor();
        } else {
            refuse("unexpected object");
        }
        return true;
    }

    bool end_object() {
        if (depth_ == 2 && !in_metadata_) end_tensor();
        --depth_;
        return true;
    }

    bool key(std::string& name) {
        if (depth_ == 1) {
            key_ = std::move(name);
            field_.clear();
            if (!names_.insert(key_).second) refuse("duplicate name");
        } else {
            field_ = std::move(name);
            if (in_metadata_ && header_.metadata.contains(field_)) refuse("duplicate key");
        }
        return true;
    }

    bool start_array(size_t) {
        const bool in_tensor = depth_ == 2 && !in_metadata_;
        if (in_tensor && field_ == "shape") {
            numbers_ = &once(shape_);
        } else if (in_tensor && field_ == "data_offsets") {
            numbers_ = &once(offsets_);
        } else {
            refuse("unexpected array");
        }
        depth_ = 3;
        return true;
    }

    bool end_array() {
        depth_ = 2;
        return true;
    }

    bool string(std::string& text) {
        if (depth_ == 2 && in_metadata_) {
            header_.metadata.emplace(field_, std::move(text));
        } else if (depth_ == 2 && field_ == "dtype") {
            once(type_) = parse_type(text);
        } else {
            refuse(fmt::format("unexpected string \"{}\"", text));
        }
        return true;
    }

    bool number_unsigned(uint64_t value) {
        if (depth_ != 3) refuse(fmt::format("unexpected number {}", value));
        if (numbers_->size() == kMaxDimensions) refuse(fmt::format("more than {} numbers", kMaxDimensions));
        numbers_->push_back(value);
        return true;
    }

    bool number_integer(int64_t value) { refuse(fmt::format("unexpected negative number {}", value)); }
    bool number_float(double, const std::string& text) { refuse(fmt::format("{} is not a 64-bit integer", text)); }
    bool boolean(bool value) { refuse(fmt::format("unexpected value {}", value)); }
    bool null() { refuse("unexpected null"); }
    bool binary(Json::binary_t&) { refuse("unexpected binary data"); }

    bool parse_error(size_t position, const std::string&, const Json::exception& error) {
        throw InputError(fmt::format("{}: not a safetensors file: its header is not valid JSON at byte {}: {}", file_,
                                     position, error.what()));
    }

  private:
    [[noreturn]] void refuse(const std::string& what) const {
        std::string place = key_.empty() && depth_ < 2 ? "header" : fmt::format("tensor \"{}\"", key_);
        if (key_ == "__metadata__") place = "__metadata__";
        if (!field_.empty()) place += fmt::format(", field \"{}\"", field_);
        throw InputError(fmt::format("{}: {}: {}", file_, place, what));
    }

    template <class T>
    T& once(std::optional<T>& field) const {
        if (field) refuse("duplicate field");
        return field.emplace();
    }

    SafetensorsType parse_type(const std::string& text) const {
        if (const std::optional<SafetensorsType> type = safetensors_type_named(text)) return *type;
        refuse(fmt::format("unknown dtype \"{}\"; expected BOOL, U8 to U64, I8 to I64, F16, BF16, F32 or F64", text));
    }

    void begin_tensor() {
        type_.reset();
        shape_.reset();
        offsets_.reset();
    }

    void end_tensor() {
        field_.clear();
        if (!type_) refuse("\"dtype\" is missing");
        if (!shape_) refuse("\"shape\" is missing");
        if (!offsets_) refuse("\"data_offsets\" is missing");
        if (offsets_->size() != 2) refuse(fmt::format("\"data_offsets\" has {} numbers, not 2", offsets_->size()));

        constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
        const std::string shape = fmt::format("[{}]", fmt::join(*shape_, ", "));
        uint64_t bytes = size_of(*type_);
        for (const uint64_t size : *shape_) {
            if (size > kMax || __builtin_mul_overflow(bytes, size, &bytes) || bytes > kMax) {
                refuse(fmt::format("the size of shape {} overflows 64 bits", shape));
            }
        }
        const uint64_t begin = offsets_->front(), end = offsets_->back();
        if (begin > end) refuse(fmt::format("data_offsets [{}, {}]: the end is before the beginning", begin, end));
        if (end - begin != bytes) {
            refuse(fmt::format("{} of shape {} takes {} bytes, but data_offsets [{}, {}] span {}", name_of(*type_),
                               shape, bytes, begin, end, end - begin));
        }
        header_.entries.push_back({key_, *type_, {shape_->begin(), shape_->end()}, begin, end});
    }

    const std::string& file_;
    SafetensorsHeader header_;
    std::set<std::string> names_;
    int depth_ = 0;
    bool in_metadata_ = false;
    std::string key_, field_;
    std::optional<SafetensorsType> type_;
    std::optional<std::vector<uint64_t>> shape_, offsets_;
    std::vector<uint64_t>* numbers_ = nullptr;
};

void check_layout(const std::string& file, const std::vector<SafetensorsEntry>& entries, uint64_t data_bytes) {
    uint64_t expected = 0;
    for (const SafetensorsEntry& entry : entries) {
        if (entry.end > data_bytes) {
            throw InputError(
                fmt::format("{}: tensor \"{}\": data_offsets [{}, {}] exceed the {} bytes of data in the file", file,
                            entry.name, entry.begin, entry.end, data_bytes));
        }
        if (entry.begin != expected) {
            throw InputError(fmt::format("{}: tensor \"{}\": data_offsets [{}, {}] leave {}; expected begin {}", file,
                                         entry.name, entry.begin, entry.end,
                                         entry.begin > expected ? "a gap" : "an overlap", expected));
        }
        expected = entry.end;
    }
    if (expected != data_bytes) {
        throw InputError(fmt::format("{}: {} bytes follow the last tensor, which ends at byte {} of the data", file,
                                     data_bytes - expected, expected));
    }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(const std::string& file, std::string_view json, uint64_t data_bytes) {
    if (json.empty() || json.front() != '{') {
        throw InputError(fmt::format("{}: not a safetensors file: its header does not start with '{{'", file));
    }
    // The parser would treat a zero byte as the end of the text.
    if (json.find('\0') != json.npos) {
        throw InputError(fmt::format("{}: not a safetensors file: its header holds a zero byte", file));
    }
    HeaderReader reader(file);
    Json::sax_parse(json.begin(), json.end(), &reader);
    SafetensorsHeader header = reader.take();
    std::sort(header.entries.begin(), header.entries.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
        return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    check_layout(file, header.entries, data_bytes);
    return header;
}

std::string make_safetensors_header(std::span<const SafetensorsEntry> entries,
                                    const std::map<std::string, std::string>& metadata) {
    nlohmann::ordered_json header = nlohmann::ordered_json::object();
    if (!metadata.empty()) header["__metadata__"] = metadata;
    std::string json;
    // ordered_json looks up a key in linear time, which is fast enough for the hundreds of tensors of a checkpoint.
    for (const SafetensorsEntry& entry : entries) {
        header[entry.name] = {
            {"dtype", name_of(entry.type)}, {"shape", entry.shape}, {"data_offsets", {entry.begin, entry.end}}};
    }
    try {
        json = header.dump();
    } catch (const Json::exception& error) {
        throw Error(fmt::format("a tensor name or metadata string is not UTF-8: {}", error.what()));
    }
    json.append((8 - json.size() % 8) % 8, ' ');
    return json;
}

}  // namespace residual
