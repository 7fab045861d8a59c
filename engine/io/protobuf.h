// Encoding of protocol buffers (https://protobuf.dev/programming-guides/encoding).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace residual {

// A message in the making. Fields may be added in any order.
class ProtobufMessage {
  public:
    // Types int32, int64, uint64, bool and enum.
    ProtobufMessage& add(int field, int64_t value);
    ProtobufMessage& add(int field, double value);
    ProtobufMessage& add(int field, float value);
    // Types string, bytes and embedded message. Less than 2 GiB.
    ProtobufMessage& add(int field, std::string_view value);
    ProtobufMessage& add(int field, const ProtobufMessage& value) { return add(field, std::string_view(value.bytes_)); }

    const std::string& bytes() const { return bytes_; }

  private:
    void add_varint(uint64_t value);

    std::string bytes_;
};

}  // namespace residual
