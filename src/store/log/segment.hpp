// A segment's bytes: a header, then records; and the scan that finds the valid records after a
// crash or a fault. Pure.
//
//   "MRDNLOG1", u64 log id, u64 offset of the first record, u32 flags (bit 0: segments before it
//   are obsolete), u32 CRC-32C of these; big-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/hybrid_clock.hpp"
#include "store/log/record.hpp"

namespace meridian::store {

inline constexpr size_t kSegmentHeaderBytes = 32;

struct SegmentHeader {
  uint64_t log_id = 0;
  uint64_t begin_offset = 0;
  bool starts_over = false;

  bool operator==(const SegmentHeader&) const = default;
};

void AppendSegmentHeader(const SegmentHeader& header, std::vector<uint8_t>& into);
// Nothing: there is no header, or it is damaged.
std::optional<SegmentHeader> ParseSegmentHeader(Bytes bytes);

// "00000000000000000042.log", so that names sort as offsets do.
std::string SegmentName(uint64_t begin_offset);
std::optional<uint64_t> ParseSegmentName(std::string_view name);

// The index's view of a record.
struct IndexedRecord {
  uint64_t offset = 0;
  uint32_t span = 1;
  uint32_t bytes = 0;  // encoded
  HybridTime time;
};

// Bytes of a segment without valid records, and the offsets that are missing there.
struct Damage {
  uint64_t begin_position = 0;
  uint64_t end_position = 0;
  uint64_t begin_offset = 0;
  uint64_t end_offset = 0;
  size_t records_before = 0;  // of the scan
  // Something that was written later proves that it had been synced: it is not a torn write.
  bool was_synced = false;

  bool operator==(const Damage&) const = default;
};

// Scans the records of one segment, whose bytes are given piece by piece. After damage it searches
// for the next record, byte by byte. Owned by the reader of the file.
class SegmentScan {
 public:
  SegmentScan(uint64_t begin_offset, uint64_t position)
      : end_offset_(begin_offset), position_(position) {}

  // Scans `bytes`, which begin at position() of the segment. Returns how many are done; the rest
  // must be given again with more bytes behind it, unless `at_end`: then all are done. It never
  // needs more at once than the largest record.
  size_t Feed(Bytes bytes, bool at_end);

  uint64_t position() const { return position_; }
  uint64_t end_offset() const { return end_offset_; }
  uint32_t epoch() const { return epoch_; }  // of the newest record
  struct Found {
    IndexedRecord record;
    uint64_t position = 0;
    uint32_t epoch = 0;
  };
  // Since the last call.
  std::vector<Found> TakeFound() { return std::exchange(found_, {}); }
  const std::vector<Damage>& damages() const { return damages_; }

 private:
  // Bytes that it is done with at the front; 0: it needs more.
  size_t Step(Bytes bytes, bool at_end);
  void Accept(const Record& record);
  size_t Search(Bytes bytes, bool at_end);
  void NoteDamage(size_t bytes);

  uint64_t end_offset_;
  uint64_t position_;
  uint32_t epoch_ = 0;
  bool searching_ = false;
  size_t records_ = 0;
  std::vector<Found> found_;
  std::vector<Damage> damages_;
};

}  // namespace meridian::store
