// LogSource: one pipe of a process, as the log store takes it: bytes in, entries out, with the
// process's origin. Owned by the fiber that reads the pipe; the loop's thread.
//
//   while (true) {
//     Result<size_t> got = co_await pipe.Read(space, source.deadline());
//     if (got && *got > 0) source.Feed(...);
//     else if (!got && got.error().code == Errc::kTimeout) source.Expire(...);
//     else break;
//   }
//   source.Finish(...);
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/lines/intake_quota.hpp"
#include "watch/log/lines/line_reader.hpp"
#include "watch/log/log_store.hpp"

namespace meridian::watch {

class LogSource {
 public:
  // `store` outlives it.
  LogSource(LogOrigin origin, IntakeLimits limits, LogStore& store)
      : origin_(std::move(origin)), reader_(limits), store_(store) {}

  void Feed(std::string_view bytes, const Arrival& at);
  TimePoint deadline() const { return reader_.deadline(); }
  void Expire(const Arrival& at);
  void Finish(const Arrival& at);

  // Lines past the quota.
  uint64_t dropped_lines() const { return reader_.dropped_lines(); }
  uint64_t dropped_bytes() const { return reader_.dropped_bytes(); }
  // Entries that the store refused: the disk was too slow.
  uint64_t refused_entries() const { return refused_; }

 private:
  void Deliver();
  bool ReportRefused(LogTime arrival);

  LogOrigin origin_;
  LineReader reader_;
  LogStore& store_;
  std::vector<ArrivedLine> lines_;
  uint64_t refused_ = 0;
  uint64_t reported_ = 0;
};

}  // namespace meridian::watch
