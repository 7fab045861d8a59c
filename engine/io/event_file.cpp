#include "engine/io/event_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/core/checksum.h"

namespace residual {

namespace {

// TensorBoard reads every file with "tfevents" in its name.
constexpr std::string_view kPrefix = "events.out.tfevents.";

// Numbers of fields and values of enums.
namespace event {
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
}
namespace session_log {
constexpr int kStatus = 1;
constexpr int64_t kStart = 1;
}  // namespace session_log
namespace summary {
constexpr int kValue = 1;
}
namespace value {
constexpr int kTag = 1, kSimpleValue = 2, kTensor = 8, kMetadata = 9;
}
namespace metadata {
constexpr int kPlugin = 1, kDescription = 3, kDataClass = 4, kPluginName = 1;
constexpr int64_t kTensorClass = 2, kBlobSequence = 3;
}  // namespace metadata
namespace tensor {
constexpr int kType = 1, kShape = 2, kStringValue = 8, kDimension = 2, kSize = 1;
constexpr int64_t kString = 7;
}  // namespace tensor

double wall_time() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// The number in the name of an event file: the seconds of its creation.
std::optional<int64_t> number_in(std::string_view name) {
    constexpr size_t kDigits = 10;  // Until the year 2286; as many in each name, so that the order is that of the text.
    if (!name.starts_with(kPrefix)) return std::nullopt;
    const std::string_view digits = name.substr(kPrefix.size(), kDigits);
    if (digits.size() < kDigits || digits.find_first_not_of("0123456789") != digits.npos) return std::nullopt;
    return std::stoll(std::string(digits));
}

int64_t largest_number_in(const std::filesystem::path& folder) {
    int64_t largest = 0;
    std::error_code unreadable;
    for (std::filesystem::directory_iterator entry(folder, unreadable), end; entry != end;
         entry.increment(unreadable)) {
        largest = std::max(largest, number_in(entry->path().filename().string()).value_or(0));
    }
    return largest;
}

void append_little_endian(std::string& out, uint64_t value, int bytes) {
    for (int byte = 0; byte < bytes; ++byte) out += static_cast<char>(value >> (8 * byte) & 0xff);
}

// The checksum of data that may itself contain checksums.
uint32_t masked_crc32c(std::string_view data) {
    const uint32_t crc = crc32c_of(std::as_bytes(std::span(data)));
    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

ProtobufMessage metadata_of(std::string_view plugin, int64_t data_class, const std::string& description) {
    return ProtobufMessage()
        .add(metadata::kPlugin, ProtobufMessage().add(metadata::kPluginName, plugin))
        .add(metadata::kDescription, description)
        .add(metadata::kDataClass, data_class);
}

ProtobufMessage event_now() {
    return ProtobufMessage().add(event::kWallTime, wall_time());
}

}  // namespace

std::string tf_record(std::string_view data) {
    std::string record;
    append_little_endian(record, data.size(), 8);
    append_little_endian(record, masked_crc32c(record), 4);
    record += data;
    append_little_endian(record, masked_crc32c(data), 4);
    return record;
}

Summary& Summary::add_scalar(const std::string& tag, double value) {
    message_.add(summary::kValue,
                 ProtobufMessage().add(value::kTag, tag).add(value::kSimpleValue, static_cast<float>(value)));
    return *this;
}

Summary& Summary::add_text(const std::string& tag, const std::string& text) {
    const auto scalar = ProtobufMessage().add(tensor::kType, tensor::kString).add(tensor::kStringValue, text);
    message_.add(summary::kValue, ProtobufMessage()
                                      .add(value::kTag, tag)
                                      .add(value::kTensor, scalar)
                                      .add(value::kMetadata, metadata_of("text", metadata::kTensorClass, "")));
    return *this;
}

// The plugin reads a vector of strings: width, height, and then the images of this step.
Summary& Summary::add_png(const std::string& tag, const std::string& description, const std::string& png, int height,
                          int width) {
    const auto size = ProtobufMessage().add(tensor::kSize, int64_t{3});
    const auto vector = ProtobufMessage()
                            .add(tensor::kType, tensor::kString)
                            .add(tensor::kShape, ProtobufMessage().add(tensor::kDimension, size))
                            .add(tensor::kStringValue, std::to_string(width))
                            .add(tensor::kStringValue, std::to_string(height))
                            .add(tensor::kStringValue, png);
    message_.add(summary::kValue,
                 ProtobufMessage()
                     .add(value::kTag, tag)
                     .add(value::kTensor, vector)
                     .add(value::kMetadata, metadata_of("images", metadata::kBlobSequence, description)));
    return *this;
}

EventFile::EventFile(std::filesystem::path folder)
    : folder_(std::move(folder)), last_before_(largest_number_in(folder_)) {
    add(event_now().add(event::kFileVersion, std::string_view("brain.Event:2")));
}

EventFile::~EventFile() {
    try {
        write_pending();
    } catch (const std::exception&) {
        // The events are lost.
    }
    if (descriptor_ >= 0) close(descriptor_);
}

void EventFile::restart(int64_t step) {
    const auto log = ProtobufMessage().add(session_log::kStatus, session_log::kStart);
    add(event_now().add(event::kStep, step).add(event::kSessionLog, log));
}

void EventFile::write(int64_t step, const Summary& summary) {
    add(event_now().add(event::kStep, step).add(event::kSummary, summary.message()));
}

void EventFile::add(const ProtobufMessage& event) {
    pending_.add(tf_record(event.bytes()));
    write_pending();
}

void EventFile::write_pending() {
    const bool written = (descriptor_ >= 0 || create()) && pending_.write_to(descriptor_);
    failure_ = written ? ""
                       : fmt::format("cannot {} {}: {}", descriptor_ < 0 ? "create" : "write", path_.string(),
                                     std::system_category().message(errno));
}

// Sets errno on failure.
bool EventFile::create() {
    int64_t number = std::max(static_cast<int64_t>(wall_time()), last_before_ + 1);
    do {
        path_ = folder_ / fmt::format("{}{:010}", kPrefix, number++);
        descriptor_ = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (descriptor_ < 0 && (errno == EEXIST || errno == EINTR));
    return descriptor_ >= 0;
}

}  // namespace residual
