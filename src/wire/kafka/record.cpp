#include "wire/kafka/record.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "wire/kafka/cursor.hpp"

namespace meridian::wire::kafka {
namespace {

// A length of -1 is null. Any other negative length is malformed: it is more than what remains.
std::optional<std::string_view> NullableText(Cursor* cursor) {
  int32_t length = cursor->Varint32();
  if (length == -1) return std::nullopt;
  return AsText(cursor->Take(static_cast<size_t>(length)));
}

bool ParseHeaders(Cursor* cursor, Record* record) {
  int32_t count = cursor->Varint32();
  if (count < 0) return false;
  for (int32_t i = 0; i < count && cursor->ok(); ++i) {
    std::optional<std::string_view> key = NullableText(cursor);
    std::optional<std::string_view> value = NullableText(cursor);
    if (!key) return false;
    if (record != nullptr && cursor->ok()) record->headers.push_back({*key, value});
  }
  return cursor->ok();
}

}  // namespace

bool internal::ParseRecord(Cursor* cursor, RecordDeltas* deltas, Record* record) {
  int32_t length = cursor->Varint32();
  if (length < 0 || static_cast<size_t>(length) > cursor->remaining()) return false;
  const uint8_t* end = cursor->position() + length;
  cursor->I8();  // attributes: no bit has a meaning yet
  deltas->timestamp = cursor->Varint64();
  deltas->offset = cursor->Varint32();
  std::optional<std::string_view> key = NullableText(cursor);
  std::optional<std::string_view> value = NullableText(cursor);
  if (record != nullptr) {
    record->key = key;
    record->value = value;
    record->headers.clear();
  }
  return ParseHeaders(cursor, record) && cursor->position() == end;
}

}  // namespace meridian::wire::kafka
