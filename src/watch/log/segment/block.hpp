// The bytes of a block: up to kMaxBlockLines entries, in the order in which they came. They are
// compressed as a whole, so that what is alike stands together:
//
//   origins  count, then six texts for each (LogOrigin)
//   rows     count, then a column after the other: origin, severity, marks, time (difference to the
//   row
//            before), arrival (difference to the time), bytes of text, of fields, place and bytes
//            of the trace id
//   texts    of all rows: what is searched (index/token.hpp), unfolded
//
// Integers are LEB128, signed ones zigzag, texts have their length in front. Pure; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "watch/log/entry.hpp"

namespace meridian::watch {

// An entry of a block, without its texts. `begin` and `trace_begin` are places in the texts of the
// block and of the row.
struct BlockRow {
  uint32_t origin = 0;  // number in the block's origins
  Severity severity = Severity::kUnknown;
  EntryMarks marks;
  LogTime time;
  LogTime arrival;
  uint32_t begin = 0;
  uint32_t bytes = 0;        // of the row's texts in all
  uint32_t text_bytes = 0;   // its text is the first of them
  uint32_t field_bytes = 0;  // its fields follow behind a newline, if it has any
  uint32_t trace_begin = 0;
  uint32_t trace_bytes = 0;  // 0: no trace id
};

// What a search asks of a block before reading it. Of no rows: times are 0.
struct BlockRange {
  uint32_t lines = 0;
  LogTime min_time;
  LogTime max_time;
  Severity max_severity = Severity::kUnknown;  // kInfo where one is unknown

  void Add(LogTime time, Severity severity) {
    min_time = lines == 0 ? time : std::min(min_time, time);
    max_time = lines == 0 ? time : std::max(max_time, time);
    if (severity == Severity::kUnknown) severity = Severity::kInfo;
    max_severity = std::max(max_severity, severity);
    ++lines;
  }
  bool operator==(const BlockRange&) const = default;
};

class BlockBuilder {
 public:
  // Texts past kMaxEntryBytes, kMaxTraceIdBytes and kMaxOriginFieldBytes are cut (EntryMark::kCut).
  void Add(LogEntry entry);

  size_t lines() const { return rows_.size(); }
  size_t bytes() const { return texts_.size(); }
  bool full() const;
  BlockRange range() const { return range_; }

  // The rows from `first_row` on.
  std::string Encode(size_t first_row = 0) const;
  void Clear();

 private:
  uint32_t OriginNumber(LogOrigin origin);

  std::vector<LogOrigin> origins_;
  std::map<LogOrigin, uint32_t> origin_numbers_;
  std::vector<BlockRow> rows_;
  std::string texts_;
  BlockRange range_;
};

// A decoded block. Views the bytes that it was made of, which must outlive it.
class Block {
 public:
  // kInvalid: `raw` is no block. What is accepted is consistent in itself, whatever it says.
  static Result<Block> Decode(std::string_view raw);

  const std::vector<LogOrigin>& origins() const { return origins_; }
  const std::vector<BlockRow>& rows() const { return rows_; }
  // All rows, and those of one row, as it is searched.
  std::string_view texts() const { return texts_; }
  std::string_view Searched(const BlockRow& row) const {
    return texts_.substr(row.begin, row.bytes);
  }
  std::string_view TraceId(const BlockRow& row) const {
    return Searched(row).substr(row.trace_begin, row.trace_bytes);
  }
  BlockRange range() const;
  LogEntry Entry(size_t row) const;

 private:
  std::vector<LogOrigin> origins_;
  std::vector<BlockRow> rows_;
  std::string_view texts_;
};

}  // namespace meridian::watch
