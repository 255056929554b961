// Record: a record of a batch, as views into its bytes. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "wire/kafka/cursor.hpp"

namespace meridian::wire::kafka {

struct RecordHeader {
  std::string_view key;
  std::optional<std::string_view> value;  // null is not the same as empty, here and below

  bool operator==(const RecordHeader&) const = default;
};

struct Record {
  int64_t offset = 0;
  int64_t timestamp_ms = -1;  // -1: none
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;  // in a compacted topic null is a tombstone
  std::vector<RecordHeader> headers;

  bool operator==(const Record&) const = default;
};

namespace internal {

// A record as it is in the batch: relative to the batch's base offset and base timestamp.
struct RecordDeltas {
  int64_t timestamp = 0;
  int32_t offset = 0;
};

// Parses the record at the front of `cursor`. Null `record`: only checks it. False: it is
// malformed.
bool ParseRecord(Cursor* cursor, RecordDeltas* deltas, Record* record);

}  // namespace internal

}  // namespace meridian::wire::kafka
