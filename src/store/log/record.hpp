// Records as they are on disk and between data centers: a header of 40 bytes, then the body. Pure.
//
//   u32 CRC-32C of the other 36 bytes of the header
//   u32 CRC-32C of the body
//   u32 bytes of the body
//   u32 span: how many offsets the record stands for (1, but for batches)
//   u64 offset: its first
//   u64 hybrid time
//   u32 epoch of the writer
//   u32 how far its offset is above what was synced when it was written
// All big-endian. By the last field recovery tells a torn write (nothing later proves that it had
// been synced: it is cut off) from damage (something later does: it is reported). Two checksums let
// recovery find the next header behind damage without reading garbage as bodies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"

namespace meridian::store {

inline constexpr size_t kRecordHeaderBytes = 40;

struct Record {
  uint64_t offset = 0;
  HybridTime time;
  uint32_t epoch = 0;
  uint32_t span = 1;
  uint32_t above_synced = 0;
  Bytes body;  // not owned

  uint64_t end_offset() const { return offset + span; }
  uint64_t synced_before() const { return offset - above_synced; }
  size_t encoded_bytes() const { return kRecordHeaderBytes + body.size(); }
};

// Appends the record to `into`. The caller has checked its limits.
void AppendRecord(const Record& record, std::vector<uint8_t>& into);

enum class Decoding : uint8_t { kWhole, kIncomplete, kDamaged };

// The record at the front of `bytes`; its body points into them. kIncomplete: it is right so far,
// and more bytes must follow. kDamaged: there is no record, or its body is not what was written.
Decoding DecodeRecord(Bytes bytes, Record* record);

// What a header says of its record.
struct RecordExtent {
  size_t bytes = 0;  // with the header
  uint64_t offset = 0;
  uint64_t end_offset = 0;
};

// Of the header, whole and undamaged, at the front of `bytes`; nothing when there is none.
std::optional<RecordExtent> ExtentOf(Bytes bytes);

// Records one after the other, with their memory: Log::Read returns them and a mirror sends them.
// Invariant: whole records, offsets ascending without a gap.
class RecordBatch {
 public:
  RecordBatch() = default;
  // Checks all of it. kInvalid: it is not whole records without gaps.
  static Result<RecordBatch> Parse(std::vector<uint8_t> encoded);

  Bytes encoded() const { return encoded_; }
  // What Parse was given. The batch is to be thrown away then.
  std::vector<uint8_t> TakeEncoded() && { return std::move(encoded_); }
  bool empty() const { return encoded_.empty(); }
  size_t records() const { return records_; }
  uint64_t begin_offset() const { return begin_; }
  uint64_t end_offset() const { return end_; }
  HybridTime newest_time() const { return newest_time_; }  // the greatest
  // Of its last record.
  uint32_t epoch() const { return epoch_; }

  // Calls `visit(const Record&)` for each, in order.
  template <class Visit>
  void ForEach(Visit visit) const {
    Bytes rest = encoded_;
    while (std::optional<Record> record = TakeFirst(rest)) visit(*record);
  }

 private:
  // Without the checksums, which were checked.
  static std::optional<Record> TakeFirst(Bytes& rest);

  std::vector<uint8_t> encoded_;
  size_t records_ = 0;
  uint64_t begin_ = 0;
  uint64_t end_ = 0;
  HybridTime newest_time_;
  uint32_t epoch_ = 0;
};

}  // namespace meridian::store
