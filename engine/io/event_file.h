// Event files, which TensorBoard reads: TFRecord frames, each of which holds one tensorboard.Event message
// (tensorboard/compat/proto/event.proto and summary.proto).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "engine/io/pending_bytes.h"
#include "engine/io/protobuf.h"

namespace residual {

// The values that an event shows at one step.
class Summary {
  public:
    Summary& add_scalar(const std::string& tag, double value);
    // `text` is Markdown.
    Summary& add_text(const std::string& tag, const std::string& text);
    Summary& add_png(const std::string& tag, const std::string& description, const std::string& png, int height,
                     int width);

    const ProtobufMessage& message() const { return message_; }

  private:
    ProtobufMessage message_;
};

// Appends events to a new file in a folder. An event that cannot be written (the disk is full, the folder must not be
// changed) is kept in memory and tried again with the next one, and at last by the destructor. A reader finds whole
// records only, except for the last one: while it is being written, after a write that failed half-way until it is
// tried again, or if the process was killed then.
class EventFile {
  public:
    // Readers take the files of a folder in the order of their names, so that the new one comes after all present.
    explicit EventFile(std::filesystem::path folder);
    ~EventFile();
    EventFile(const EventFile&) = delete;
    EventFile& operator=(const EventFile&) = delete;

    // From `step` on, what earlier files say is replaced by the events that follow.
    void restart(int64_t step);
    void write(int64_t step, const Summary& summary);

    // Why events are kept in memory: "cannot <action> <path>: <reason>". Empty if all have been written.
    const std::string& failure() const { return failure_; }

  private:
    void add(const ProtobufMessage& event);
    void write_pending();
    bool create();

    std::filesystem::path folder_, path_;
    int64_t last_before_;  // The number in the name of the last event file before this one; 0: there is none.
    int descriptor_ = -1;
    PendingBytes pending_;  // Whole records.
    std::string failure_;
};

// A TFRecord frame: length, its masked CRC-32C, data, their masked CRC-32C.
std::string tf_record(std::string_view data);

}  // namespace residual
