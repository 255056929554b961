#include "queue/partition/segment_index.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "queue/partition/limits.hpp"
#include "wire/kafka/record_batch.hpp"

namespace meridian::queue {
namespace {

constexpr size_t kCheckedBytes = kIndexEntryBytes - 4;

// The last entry for which `is_before` holds; it holds for a range at the front.
template <class IsBefore>
IndexEntry* LastBefore(std::vector<IndexEntry>& entries, IsBefore is_before) {
  auto after = std::ranges::partition_point(entries, is_before);
  return after == entries.begin() ? nullptr : &*std::prev(after);
}

}  // namespace

void SegmentIndex::Add(const wire::kafka::BatchHeader& batch, uint64_t position) {
  CHECK(position >= last_position_);
  if (position - last_position_ >= kIndexIntervalBytes) {
    entries_.push_back({.offset = batch.base_offset,
                        .position = position,
                        .max_timestamp_ms = max_timestamp_ms_,
                        .batch_crc = batch.crc,
                        .verified = true});
    last_position_ = position;
  }
  max_timestamp_ms_ = std::max(max_timestamp_ms_, batch.max_timestamp_ms);
}

void SegmentIndex::Prepend(const SegmentIndex& older) {
  CHECK(older.begin_position_ == 0 && older.last_position_ <= begin_position_);
  entries_.insert(entries_.begin(), older.entries_.begin(), older.entries_.end());
  if (last_position_ == begin_position_) last_position_ = older.last_position_;
  begin_position_ = 0;
}

void SegmentIndex::Decode(Bytes file, uint64_t end_position) {
  while (file.size() >= kIndexEntryBytes) {
    ByteReader reader(file.first(kIndexEntryBytes));
    IndexEntry entry;
    entry.offset = static_cast<int64_t>(reader.U64());
    entry.position = reader.U64();
    entry.max_timestamp_ms = static_cast<int64_t>(reader.U64());
    entry.batch_crc = reader.U32();
    if (reader.U32() != Crc32c(file.first(kCheckedBytes))) return;
    bool ascends = entries_.empty() || entry.offset > entries_.back().offset;
    if (!ascends || entry.position <= last_position_ || entry.position >= end_position) return;
    last_position_ = entry.position;
    max_timestamp_ms_ = entry.max_timestamp_ms;
    entries_.push_back(entry);
    file = file.subspan(kIndexEntryBytes);
  }
}

void SegmentIndex::Encode(std::span<const IndexEntry> entries, std::vector<uint8_t>& out) {
  for (const IndexEntry& entry : entries) {
    size_t begin = out.size();
    out.resize(begin + kIndexEntryBytes);
    MutableBytes into = MutableBytes(out).subspan(begin);
    ByteWriter writer(into);
    writer.U64(static_cast<uint64_t>(entry.offset));
    writer.U64(entry.position);
    writer.U64(static_cast<uint64_t>(entry.max_timestamp_ms));
    writer.U32(entry.batch_crc);
    writer.U32(Crc32c(into.first(kCheckedBytes)));
  }
}

IndexEntry* SegmentIndex::AtOrBeforeOffset(int64_t offset) {
  return LastBefore(entries_, [&](const IndexEntry& entry) { return entry.offset <= offset; });
}

IndexEntry* SegmentIndex::AtOrBeforePosition(uint64_t position) {
  return LastBefore(entries_, [&](const IndexEntry& entry) { return entry.position <= position; });
}

IndexEntry* SegmentIndex::BeforeTimestamp(int64_t timestamp_ms) {
  return LastBefore(entries_,
                    [&](const IndexEntry& entry) { return entry.max_timestamp_ms < timestamp_ms; });
}

}  // namespace meridian::queue
