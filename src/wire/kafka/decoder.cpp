#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/kafka/codec.hpp"
#include "wire/kafka/cursor.hpp"
#include "wire/kafka/limits.hpp"
#include "wire/kafka/schema.hpp"

namespace meridian::wire::kafka {
namespace {

using Kind = Type::Kind;

constexpr int64_t kNull = -1;

bool HasLength(Kind kind) {
  return kind == Kind::kString || kind == Kind::kBytes || kind == Kind::kRecords ||
         kind == Kind::kArray;
}

// Decodes one message. Its functions give false after the first failure, which error() describes.
class Decoder {
 public:
  Decoder(Bytes body, int16_t version, bool flexible)
      : cursor_(body), version_(version), flexible_(flexible) {}

  // The schema says how deep structs are nested.
  bool Struct(const Schema& schema, void* object) {
    for (const Field& field : schema.fields) {
      if (field.tagged() || !field.InVersion(version_)) continue;
      if (!Member(field, field.member(object))) return false;
    }
    return !flexible_ || TaggedFields(schema, object);
  }

  // Whether nothing is left.
  bool End() { return cursor_.remaining() == 0 || Stop("bytes after the end of the message"); }

  std::string_view error() const { return error_.empty() ? "the message is too short" : error_; }
  Errc code() const { return code_; }

 private:
  bool Stop(std::string_view error) {
    if (error_.empty()) error_ = error;
    return false;
  }

  bool Member(const Field& field, void* member) {
    int64_t length = HasLength(field.type.kind) ? Length(field.type.kind) : 0;
    if (!cursor_.ok()) return false;
    if (length < kNull) return Stop("a negative length");
    if (length == kNull) {
      if (version_ < field.versions.nullable_from) return Stop("null where it is not allowed");
      if (field.optional != nullptr) field.optional->reset(member);
      return true;
    }
    void* value = field.optional == nullptr ? member : field.optional->emplace(member);
    return Value(field.type, static_cast<size_t>(length), value);
  }

  // kNull for null. Compact lengths are unsigned, and one more than the length.
  int64_t Length(Kind kind) {
    if (flexible_) return int64_t{cursor_.Uvarint()} - 1;
    return kind == Kind::kString ? cursor_.I16() : cursor_.I32();
  }

  bool Value(const Type& type, size_t length, void* value) {
    switch (type.kind) {
      case Kind::kBool:
        *static_cast<bool*>(value) = cursor_.I8() != 0;
        break;
      case Kind::kInt8:
        *static_cast<int8_t*>(value) = cursor_.I8();
        break;
      case Kind::kInt16:
        *static_cast<int16_t*>(value) = cursor_.I16();
        break;
      case Kind::kInt32:
        *static_cast<int32_t*>(value) = cursor_.I32();
        break;
      case Kind::kInt64:
        *static_cast<int64_t*>(value) = cursor_.I64();
        break;
      case Kind::kUuid:
        std::ranges::copy(cursor_.Take(sizeof(Uuid)), static_cast<Uuid*>(value)->begin());
        break;
      case Kind::kString:
        if (length > kMaxStringBytes) return Stop("a string over the limit");
        *static_cast<std::string_view*>(value) = AsText(cursor_.Take(length));
        break;
      case Kind::kBytes:
        *static_cast<Bytes*>(value) = cursor_.Take(length);
        break;
      case Kind::kRecords:
        static_cast<RecordSet*>(value)->bytes = cursor_.Take(length);
        break;
      case Kind::kStruct:
        return Struct(*type.schema, value);
      case Kind::kArray:
        return Array(*type.array, length, value);
    }
    return cursor_.ok();
  }

  bool Array(const ArrayAccess& access, size_t size, void* array) {
    // Each element has at least one byte: nothing is allocated for elements that cannot be there.
    if (size > cursor_.remaining()) return Stop("an array longer than the message");
    size_t bytes = size * access.element_bytes;
    if (bytes > array_bytes_left_) {
      code_ = Errc::kTooLarge;
      return Stop("arrays over the limit");
    }
    array_bytes_left_ -= bytes;
    access.resize(array, 0);
    auto* element = static_cast<uint8_t*>(access.resize(array, size));
    for (size_t i = 0; i < size; ++i, element += access.element_bytes) {
      if (!Element(access.element, element)) return false;
    }
    return true;
  }

  bool Element(const Type& type, void* element) {
    int64_t length = HasLength(type.kind) ? Length(type.kind) : 0;
    if (!cursor_.ok()) return false;
    if (length < 0) return Stop("an element without a length");
    return Value(type, static_cast<size_t>(length), element);
  }

  bool TaggedFields(const Schema& schema, void* object) {
    uint32_t count = cursor_.Uvarint();
    int64_t last_tag = -1;
    for (uint32_t i = 0; i < count && cursor_.ok(); ++i) {
      int64_t tag = cursor_.Uvarint();
      Bytes content = cursor_.Take(cursor_.Uvarint());
      if (cursor_.ok() && tag <= last_tag) return Stop("tagged fields out of order");
      last_tag = tag;
      if (cursor_.ok() && !TaggedField(schema, tag, content, object)) return false;
    }
    return cursor_.ok();
  }

  bool TaggedField(const Schema& schema, int64_t tag, Bytes content, void* object) {
    for (const Field& field : schema.fields) {
      if (field.versions.tag != tag || !field.InVersion(version_)) continue;
      Cursor rest = cursor_;
      cursor_ = Cursor(content);
      if (!Member(field, field.member(object)) || !End()) return false;
      cursor_ = rest;
      return true;
    }
    return true;  // unknown: skipped
  }

  Cursor cursor_;
  int16_t version_;
  bool flexible_;
  size_t array_bytes_left_ = kMaxArrayBytes;
  std::string_view error_;
  Errc code_ = Errc::kInvalid;
};

}  // namespace

Result<> internal::DecodeMessage(const Schema& schema, Bytes body, int16_t version, bool flexible,
                                 void* message) {
  Decoder decoder(body, version, flexible);
  if (decoder.Struct(schema, message) && decoder.End()) return {};
  return Fail(decoder.code(), "malformed message of version {}: {}", version, decoder.error());
}

}  // namespace meridian::wire::kafka
