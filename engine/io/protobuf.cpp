#include "engine/io/protobuf.h"

#include <bit>

namespace residual {

namespace {

enum WireType : uint64_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

uint64_t key_of(int field, WireType type) {
    return static_cast<uint64_t>(field) << 3 | type;
}

// Little endian on every machine.
template <class Bits>
void append_fixed(std::string& out, Bits bits) {
    for (size_t byte = 0; byte < sizeof bits; ++byte) out += static_cast<char>(bits >> (8 * byte) & 0xff);
}

}  // namespace

void ProtobufMessage::add_varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
    bytes_ += static_cast<char>(value);
}

ProtobufMessage& ProtobufMessage::add(int field, int64_t value) {
    add_varint(key_of(field, kVarint));
    add_varint(static_cast<uint64_t>(value));
    return *this;
}

ProtobufMessage& ProtobufMessage::add(int field, double value) {
    add_varint(key_of(field, kFixed64));
    append_fixed(bytes_, std::bit_cast<uint64_t>(value));
    return *this;
}

ProtobufMessage& ProtobufMessage::add(int field, float value) {
    add_varint(key_of(field, kFixed32));
    append_fixed(bytes_, std::bit_cast<uint32_t>(value));
    return *this;
}

ProtobufMessage& ProtobufMessage::add(int field, std::string_view value) {
    add_varint(key_of(field, kLengthDelimited));
    add_varint(value.size());
    bytes_ += value;
    return *this;
}

}  // namespace residual
