#include "watch/copies/copy_lanes.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "watch/copies/copy_frame.hpp"
#include "watch/copies/limits.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/log/search/log_search.hpp"

namespace meridian::watch {
namespace {

LogQuery From(uint64_t sequence) {
  LogQuery query{.order = LogOrder::kArrival, .limit = kCopyPageEntries};
  if (sequence > 0) query.after = PositionOf({}, sequence - 1, LogOrder::kArrival);
  return query;
}

// Ends the page where it is long enough.
void Shorten(LogPage* page) {
  size_t bytes = 0;
  for (size_t i = 0; i < page->entries.size(); ++i) {
    if (bytes >= kCopyPageBytes) {
      page->next = PositionOf({}, page->entries[i - 1].sequence, LogOrder::kArrival);
      page->entries.resize(i);
      return;
    }
    bytes += sizeof(LogEntry) + page->entries[i].text.size() + page->entries[i].fields.size();
  }
}

// All entries below it that the query finds are on the page, or before it.
uint64_t EndOf(const LogPage& page) {
  if (!page.next) return page.end_sequence;
  return page.next->tie == std::numeric_limits<uint64_t>::max() ? page.next->tie
                                                                : page.next->tie + 1;
}

uint64_t SegmentOf(uint64_t sequence) { return sequence >> 32; }

// Whether entries between `from` and the page's end are missing. The lines of a segment are
// numbered from 0 on, so its sequences tell, and each gap is told once: with the page that passes
// it. How many lines a segment had at its end they do not tell, but the search does.
bool HasGap(uint64_t from, const LogPage& page) {
  constexpr uint64_t kLineMask = 0xffffffff;
  const uint64_t end = EndOf(page);
  if (from == 0) return page.unread_lines > 0;  // a follower that begins misses nothing before
  uint64_t expected = from;
  auto is_behind = [&expected](uint64_t sequence) {
    return SegmentOf(sequence) == SegmentOf(expected) ? sequence > expected
                                                      : (sequence & kLineMask) > 0;
  };
  for (const LogEntry& entry : page.entries) {
    if (is_behind(entry.sequence)) return true;
    expected = entry.sequence + 1;
  }
  if (SegmentOf(end) == SegmentOf(expected) && end > expected) return true;
  return page.unread_lines > 0 && SegmentOf(from) != SegmentOf(end);
}

CopyFrame FrameOf(CopyCursor cursor, LogPage page) {
  const bool current = !page.next;
  // The cursors say what the page would.
  page.next.reset();
  page.problems.clear();
  return {.cursor = cursor, .current = current, .page = std::move(page)};
}

}  // namespace

bool IsUrgent(const LogEntry& entry) {
  return entry.severity >= Severity::kWarning && entry.origin.tier != "app" &&
         entry.origin.tier != "worker";
}

LogQuery RestQuery(const CopyCursor& cursor) { return From(cursor.rest); }

LogQuery UrgentQuery(const CopyCursor& cursor) {
  LogQuery query = From(cursor.urgent);
  query.at_least = Severity::kWarning;
  query.limit = kMaxPageEntries;  // few of them may be urgent
  return query;
}

CopyFrame UrgentFrame(CopyCursor cursor, LogPage page) {
  std::erase_if(page.entries, [](const LogEntry& entry) { return !IsUrgent(entry); });
  Shorten(&page);
  cursor.urgent = std::max(cursor.urgent, EndOf(page));
  CopyFrame frame = FrameOf(cursor, std::move(page));
  frame.current = false;  // the rest is behind it
  return frame;
}

CopyFrame RestFrame(CopyCursor cursor, LogPage page) {
  Shorten(&page);
  const uint64_t sent = cursor.urgent;
  const bool gap = HasGap(cursor.rest, page);
  cursor.rest = std::max(cursor.rest, EndOf(page));
  cursor.urgent = std::max(cursor.urgent, cursor.rest);
  std::erase_if(page.entries,
                [sent](const LogEntry& entry) { return entry.sequence < sent && IsUrgent(entry); });
  CopyFrame frame = FrameOf(cursor, std::move(page));
  frame.gap = gap;
  return frame;
}

}  // namespace meridian::watch
