// DelayLine: which messages of a partition consumers do not see yet, because its topic has
// meridian.delay.ms. A message is visible when the delay has passed since it was appended, by the
// stamp of its record in the journal: not by its own timestamp, which the producer chooses. So a
// restart changes nothing, and another data center that applies the same records comes to the same.
// (Stamps are ahead of the wall clock for store::kClockBoundWindow after a restart at most.)
//
// Messages appended within a thousandth of the delay are one entry, which becomes visible at its
// end: up to that much late, never early. So the number of entries is bounded, at any rate.
//
// A value of QueueState. Invariants: entries ascend by time and by offset; below begin_offset() all
// is visible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace meridian::queue {

// Entries of one partition: those of the longest delay in force, and as many of one before it.
constexpr size_t kMaxDelayEntries = 2'048;

class DelayLine {
 public:
  struct Entry {
    int64_t appended_ms = 0;  // all messages of the entry were appended by then
    int64_t next_offset = 0;  // behind its last message

    bool operator==(const Entry&) const = default;
  };

  // A batch of offsets [base_offset, next_offset), behind all others. Forgets what is visible.
  void Add(int64_t base_offset, int64_t next_offset, int64_t appended_ms, int64_t delay_ms);
  void Clear() { entries_.clear(); }
  // Messages at `offset` and above are gone.
  void CutFrom(int64_t offset);

  // The offset behind the last message that is visible; `end_offset` when all are.
  int64_t VisibleEnd(int64_t now_ms, int64_t delay_ms, int64_t end_offset) const;
  // When more becomes visible; nothing: all is.
  std::optional<int64_t> NextVisibleMs(int64_t now_ms, int64_t delay_ms) const;

  int64_t begin_offset() const { return begin_offset_; }
  const std::deque<Entry>& entries() const { return entries_; }
  // For loading a snapshot: the begin before the first entry, then entries that ascend.
  void RestoreBegin(int64_t begin_offset) { begin_offset_ = begin_offset; }
  void Restore(Entry entry);

 private:
  std::deque<Entry> entries_;
  int64_t begin_offset_ = 0;  // of the first entry
};

}  // namespace meridian::queue
