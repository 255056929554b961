// LineReader: the bytes of one pipe, as they arrive, as entries of the log. Splits them into lines,
// drops and counts lines past the source's quota, joins stack traces, makes them printable and
// parses them. Pure: the caller passes the time. Owned by the source that reads the pipe; one
// thread.
//
//   reader.Feed(bytes, {loop.Now(), loop.Wall()}, &entries);
//   ... at reader.deadline(): reader.Expire({loop.Now(), loop.Wall()}, &entries);
//   ... at the end of the pipe: reader.Finish(..., &entries);
//
// Holds at most kMaxLineBytes and kMaxJoinedBytes. Empty lines are no entries. No line is lost
// without being counted: an entry with EntryMark::kDropped says how many are missing, at the
// latest kDropReportInterval after the first of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "proc/intake_quota.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/lines/stack_trace.hpp"

namespace meridian::watch {

struct Arrival {
  TimePoint now;
  WallTime wall;
};

struct ArrivedLine {
  LogLine line;
  LogTime arrival;
};

class LineReader {
 public:
  explicit LineReader(proc::IntakeLimits limits) : quota_(limits) {}

  // Appends the entries that are complete.
  void Feed(std::string_view bytes, const Arrival& at, std::vector<ArrivedLine>* entries);
  // When Expire has something to do; kNever: not until something arrives.
  TimePoint deadline() const;
  // Ends what has waited too long.
  void Expire(const Arrival& at, std::vector<ArrivedLine>* entries);
  // The end of the pipe: all that is held becomes entries.
  void Finish(const Arrival& at, std::vector<ArrivedLine>* entries);

  // Whether nothing is held: all bytes that were fed are entries, or were dropped.
  bool empty() const { return partial_.empty() && joined_.lines == 0; }
  // Since the start, by the quota.
  uint64_t dropped_lines() const { return dropped_lines_; }
  uint64_t dropped_bytes() const { return dropped_bytes_; }

 private:
  using Entries = std::vector<ArrivedLine>;
  // An entry whose lines are still arriving.
  struct Joined {
    std::string text;
    size_t lines = 0;        // 0: there is none
    size_t empty_lines = 0;  // behind it; they belong to it if another line does
    EntryMarks marks;
    LogTime arrival;
    TimePoint began;
    TimePoint last;
  };

  void HoldPartial(std::string_view bytes, const Arrival& at);
  void EndLine(std::string_view line, size_t cut_bytes, EntryMarks marks, const Arrival& at,
               Entries* entries);
  void EndPartial(EntryMarks marks, const Arrival& at, Entries* entries);
  void AddLine(std::string_view line, EntryMarks marks, const Arrival& at, Entries* entries);
  bool Joins(std::string_view line);
  void EndJoined(Entries* entries);
  void ReportDrops(const Arrival& at, Entries* entries);

  proc::IntakeQuota quota_;
  StackTrace trace_;
  std::string partial_;
  size_t partial_cut_bytes_ = 0;  // behind partial_, of the same line
  TimePoint partial_since_;
  Joined joined_;
  uint64_t dropped_lines_ = 0;
  uint64_t dropped_bytes_ = 0;
  uint64_t reported_lines_ = 0;
  uint64_t reported_bytes_ = 0;
  TimePoint dropping_since_ = kNever;  // of what is not reported yet
};

}  // namespace meridian::watch
