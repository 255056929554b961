// LogSource: one pipe of a process, as the log store takes it: bytes in, entries out, with the
// process's origin. Owned by the fiber that reads the pipe; the loop's thread.
//
//   while (true) {
//     Result<size_t> got = co_await pipe.Read(space, source.deadline());
//     if (got && *got > 0) source.Feed(...);
//     else if (got || got.error().code != Errc::kTimeout) break;
//     if (loop.Now() >= source.deadline()) source.Expire(...);
//   }
//   source.Finish(...);
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "proc/intake_quota.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/lines/line_reader.hpp"
#include "watch/log/log_store.hpp"

namespace meridian::watch {

class LogSource {
 public:
  // `store` outlives it.
  LogSource(LogOrigin origin, proc::IntakeLimits limits, LogStore& store)
      : origin_(std::move(origin)), reader_(limits), store_(store) {}

  void Feed(std::string_view bytes, const Arrival& at);
  // When Expire has something to do; kNever: not until something arrives.
  TimePoint deadline() const;
  void Expire(const Arrival& at);
  // The process has ended. The output of the next one may follow.
  void Finish(const Arrival& at);
  // Whoever read the pipe has dropped lines at this place. An entry says so at the latest
  // kDropReportInterval later.
  void NoteDropped(uint64_t lines, uint64_t bytes, const Arrival& at);

  // Lines past the quota.
  uint64_t dropped_lines() const { return reader_.dropped_lines(); }
  uint64_t dropped_bytes() const { return reader_.dropped_bytes(); }
  // Entries that the store refused: the disk was too slow.
  uint64_t refused_entries() const { return refused_; }

 private:
  void Deliver();
  void FinishLines(const Arrival& at);
  void ReportDropped(LogTime arrival);
  bool ReportRefused(LogTime arrival);

  LogOrigin origin_;
  LineReader reader_;
  LogStore& store_;
  std::vector<ArrivedLine> lines_;
  uint64_t refused_ = 0;
  uint64_t reported_ = 0;
  // What NoteDropped said and no entry has said yet.
  uint64_t unreported_lines_ = 0;
  uint64_t unreported_bytes_ = 0;
  TimePoint dropping_since_ = kNever;
};

}  // namespace meridian::watch
