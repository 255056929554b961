#include "watch/log/log_source.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/lines/line_reader.hpp"

namespace meridian::watch {

void LogSource::Feed(std::string_view bytes, const Arrival& at) {
  reader_.Feed(bytes, at, &lines_);
  Deliver();
}

TimePoint LogSource::deadline() const {
  return std::min(reader_.deadline(), SaturatingAdd(dropping_since_, kDropReportInterval));
}

void LogSource::Expire(const Arrival& at) {
  reader_.Expire(at, &lines_);
  Deliver();
  if (at.now >= SaturatingAdd(dropping_since_, kDropReportInterval)) {
    ReportDropped(ToLogTime(at.wall));
  }
}

void LogSource::Finish(const Arrival& at) {
  FinishLines(at);
  ReportDropped(ToLogTime(at.wall));
}

void LogSource::NoteDropped(uint64_t lines, uint64_t bytes, const Arrival& at) {
  // The rest of a line that was begun may be among them.
  FinishLines(at);
  if (dropping_since_ == kNever) dropping_since_ = at.now;
  unreported_lines_ += lines;
  unreported_bytes_ += bytes;
}

void LogSource::FinishLines(const Arrival& at) {
  reader_.Finish(at, &lines_);
  Deliver();
}

void LogSource::ReportDropped(LogTime arrival) {
  if (dropping_since_ == kNever) return;
  LogEntry entry{
      .origin = origin_, .time = arrival, .arrival = arrival, .severity = Severity::kWarning};
  entry.marks.Set(EntryMark::kDropped);
  entry.text = fmt::format("{} lines dropped ({} bytes) before they came to the log store",
                           unreported_lines_, unreported_bytes_);
  // In vain if the store refuses it: then it is among the entries that ReportRefused counts.
  if (!ReportRefused(arrival) || !store_.Add(std::move(entry))) ++refused_;
  unreported_lines_ = 0;
  unreported_bytes_ = 0;
  dropping_since_ = kNever;
}

void LogSource::Deliver() {
  for (ArrivedLine& arrived : lines_) {
    LogLine& line = arrived.line;
    LogEntry entry{.origin = origin_,
                   .time = line.time.value_or(arrived.arrival),
                   .arrival = arrived.arrival,
                   .severity = line.severity,
                   .marks = line.marks,
                   .trace_id = std::move(line.trace_id),
                   .text = std::move(line.text),
                   .fields = std::move(line.fields)};
    if (!ReportRefused(arrived.arrival) || !store_.Add(std::move(entry))) ++refused_;
  }
  lines_.clear();
}

// Before the next entry that is taken, one says how many were not. False: not even that.
bool LogSource::ReportRefused(LogTime arrival) {
  if (refused_ == reported_) return true;
  LogEntry entry{
      .origin = origin_, .time = arrival, .arrival = arrival, .severity = Severity::kWarning};
  entry.marks.Set(EntryMark::kDropped);
  entry.text = fmt::format("{} entries dropped: the disk of the log store is too slow",
                           refused_ - reported_);
  if (!store_.Add(std::move(entry))) return false;
  reported_ = refused_;
  return true;
}

}  // namespace meridian::watch
