#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/limits.hpp"
#include "wire/kafka/schema.hpp"
#include "wire/kafka/sink.hpp"

namespace meridian::wire::kafka {
namespace {

using Kind = Type::Kind;

// Encodes one message. ok() is false after a string or a length that the protocol cannot carry.
class Encoder {
 public:
  Encoder(Frame* frame, int16_t version, bool flexible)
      : frame_(frame), sink_(&frame->bytes), version_(version), flexible_(flexible) {}

  bool ok() const { return ok_; }

  void Struct(const Schema& schema, const void* object) {
    for (const Field& field : schema.fields) {
      if (field.tagged() || !field.InVersion(version_)) continue;
      const void* value = Get(field, object);
      if (value == nullptr) {
        Null(field);
      } else {
        Value(field.type, value);
      }
    }
    if (flexible_) TaggedFields(schema, object);
  }

 private:
  // The value of a field; null where its optional is empty.
  static const void* Get(const Field& field, const void* object) {
    // `member` only computes an address.
    const void* member = field.member(const_cast<void*>(object));
    return field.optional == nullptr ? member : field.optional->get(member);
  }

  void Null(const Field& field) {
    if (version_ < field.versions.nullable_from) return Length(field.type.kind, 0);
    if (flexible_) return sink_.Uvarint(0);
    field.type.kind == Kind::kString ? sink_.I16(-1) : sink_.I32(-1);
  }

  void Length(Kind kind, size_t length) {
    size_t limit = kind == Kind::kString ? kMaxStringBytes : kMaxFrameBytes;
    if (length > limit) ok_ = false;
    if (flexible_) return sink_.Uvarint(length + 1);
    kind == Kind::kString ? sink_.I16(static_cast<int16_t>(length))
                          : sink_.I32(static_cast<int32_t>(length));
  }

  void Value(const Type& type, const void* value) {
    switch (type.kind) {
      case Kind::kBool:
        return sink_.I8(*static_cast<const bool*>(value) ? 1 : 0);
      case Kind::kInt8:
        return sink_.I8(*static_cast<const int8_t*>(value));
      case Kind::kInt16:
        return sink_.I16(*static_cast<const int16_t*>(value));
      case Kind::kInt32:
        return sink_.I32(*static_cast<const int32_t*>(value));
      case Kind::kInt64:
        return sink_.I64(*static_cast<const int64_t*>(value));
      case Kind::kUuid:
        return sink_.Append(*static_cast<const Uuid*>(value));
      case Kind::kString:
        return Text(type.kind, AsBytes(*static_cast<const std::string_view*>(value)));
      case Kind::kBytes:
        return Text(type.kind, *static_cast<const Bytes*>(value));
      case Kind::kRecords:
        return Records(*static_cast<const RecordSet*>(value));
      case Kind::kStruct:
        return Struct(*type.schema, value);
      case Kind::kArray:
        return Array(*type.array, value);
    }
  }

  void Text(Kind kind, Bytes bytes) {
    Length(kind, bytes.size());
    sink_.Append(bytes);
  }

  void Records(const RecordSet& records) {
    if (records.left_out_bytes == 0) return Text(Kind::kRecords, records.bytes);
    Length(Kind::kRecords, records.left_out_bytes);
    frame_->gaps.push_back({.position = sink_.size(), .bytes = records.left_out_bytes});
  }

  void Array(const ArrayAccess& access, const void* array) {
    size_t size = access.size(array);
    Length(Kind::kArray, size);
    const auto* element = static_cast<const uint8_t*>(access.data(array));
    for (size_t i = 0; i < size; ++i, element += access.element_bytes) {
      Value(access.element, element);
    }
  }

  // The value of a tagged field that is to be written, or null.
  const void* GetTagged(const Field& field, const void* object) const {
    if (!field.tagged() || !field.InVersion(version_)) return nullptr;
    const void* value = Get(field, object);
    bool empty_array = value != nullptr && field.optional == nullptr &&
                       field.type.kind == Kind::kArray && field.type.array->size(value) == 0;
    return empty_array ? nullptr : value;
  }

  void TaggedFields(const Schema& schema, const void* object) {
    uint64_t count = 0;
    for (const Field& field : schema.fields) count += GetTagged(field, object) == nullptr ? 0 : 1;
    sink_.Uvarint(count);
    for (const Field& field : schema.fields) {
      const void* value = GetTagged(field, object);
      if (value == nullptr) continue;
      Frame content;
      Encoder encoder(&content, version_, flexible_);
      encoder.Value(field.type, value);
      if (!encoder.ok()) ok_ = false;
      sink_.Uvarint(static_cast<uint64_t>(field.versions.tag));
      sink_.Uvarint(content.bytes.size());
      sink_.Append(content.bytes);
    }
  }

  Frame* frame_;
  Sink sink_;
  int16_t version_;
  bool flexible_;
  bool ok_ = true;
};

}  // namespace

Result<> internal::EncodeMessage(const Schema& schema, const void* message, int16_t version,
                                 bool flexible, Frame* out) {
  Encoder encoder(out, version, flexible);
  encoder.Struct(schema, message);
  if (encoder.ok()) return {};
  return Fail(Errc::kTooLarge, "a message has a string over {} bytes", kMaxStringBytes);
}

}  // namespace meridian::wire::kafka
