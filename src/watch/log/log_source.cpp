#include "watch/log/log_source.hpp"

#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "watch/log/entry.hpp"
#include "watch/log/lines/line_reader.hpp"

namespace meridian::watch {

void LogSource::Feed(std::string_view bytes, const Arrival& at) {
  reader_.Feed(bytes, at, &lines_);
  Deliver();
}

void LogSource::Expire(const Arrival& at) {
  reader_.Expire(at, &lines_);
  Deliver();
}

void LogSource::Finish(const Arrival& at) {
  reader_.Finish(at, &lines_);
  Deliver();
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
