// TrailLines: what is read of a log's files, as lines, with the position up to which all lines are
// entries, so that a restart goes on there. Pure; owned by the reader of the files; one thread.
//
// A line's quota and time are those at which it was written, so that a log that is read later has
// the same entries as one that was read at once. A line without a time has that of the last write
// to its file. The end of a line may come later; after kMaxTornLineTime, what is there is a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "proc/intake_quota.hpp"
#include "watch/log/lines/line_reader.hpp"
#include "watch/own_lines/log_trail.hpp"
#include "watch/own_lines/trail_file.hpp"

namespace meridian::watch {

class TrailLines {
 public:
  // `start`: what was kept of an earlier process. `skips_output`: lines that repeat the
  // application's output are no entries (IsApplicationOutput).
  TrailLines(proc::IntakeLimits limits, std::optional<TrailPosition> start, bool skips_output)
      : reader_(limits), next_(start), safe_(start), skips_output_(skips_output) {}

  // Appends the entries that are complete. Whether it took any bytes.
  bool Take(const TrailRead& read, const Arrival& at, std::vector<ArrivedLine>* lines);
  // Ends what has waited too long. Call it each round.
  void Expire(const Arrival& at, std::vector<ArrivedLine>* lines);

  // Where reading goes on; nothing: no file was there yet.
  const std::optional<TrailPosition>& next() const { return next_; }
  // All lines before it are entries, or were dropped, and no other one is.
  const std::optional<TrailPosition>& safe() const { return safe_; }
  // Whether lines that were read are no entries yet.
  bool holds() const { return !reader_.empty() || torn_since_ != kNever; }
  // By the quota.
  uint64_t dropped_lines() const { return reader_.dropped_lines(); }
  uint64_t dropped_bytes() const { return reader_.dropped_bytes(); }

 private:
  void TakeLine(std::string_view line, const Arrival& at, std::vector<ArrivedLine>* lines);
  void TakeRest(std::string_view rest, const Arrival& at, std::vector<ArrivedLine>* lines);
  Arrival ArrivalOf(std::string_view line, const Arrival& at) const;

  LineReader reader_;
  std::optional<TrailPosition> next_;
  std::optional<TrailPosition> safe_;
  const bool skips_output_;
  bool skips_line_ = false;            // up to the next newline
  std::optional<uint64_t> torn_line_;  // the offset of a line of which the reader has a part
  TimePoint torn_since_ = kNever;      // when bytes without a newline were seen first
};

}  // namespace meridian::watch
