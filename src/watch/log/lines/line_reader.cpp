#include "watch/log/lines/line_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/lines/line_parser.hpp"
#include "watch/log/lines/printable.hpp"

namespace meridian::watch {
namespace {

// Empty lines that are held back behind an entry; more of them end it.
constexpr size_t kMaxEmptyLines = 4;

bool IsEmpty(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

void LineReader::Feed(std::string_view bytes, const Arrival& at, Entries* entries) {
  while (!bytes.empty()) {
    size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      HoldPartial(bytes, at);
      return;
    }
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    if (!partial_.empty()) {
      HoldPartial(line, at);
      EndPartial({}, at, entries);
    } else {
      size_t cut_bytes = line.size() - std::min(line.size(), kMaxLineBytes);
      EndLine(line.substr(0, kMaxLineBytes), cut_bytes, {}, at, entries);
    }
  }
}

TimePoint LineReader::deadline() const {
  TimePoint deadline = kNever;
  if (!partial_.empty()) deadline = std::min(deadline, partial_since_ + kMaxPartialLineTime);
  if (joined_.lines > 0) {
    deadline = std::min({deadline, joined_.last + kMaxJoinGap, joined_.began + kMaxJoinTime});
  }
  return std::min(deadline, SaturatingAdd(dropping_since_, kDropReportInterval));
}

void LineReader::Expire(const Arrival& at, Entries* entries) {
  if (joined_.lines > 0 &&
      (at.now >= joined_.last + kMaxJoinGap || at.now >= joined_.began + kMaxJoinTime)) {
    EndJoined(entries);
  }
  if (!partial_.empty() && at.now >= partial_since_ + kMaxPartialLineTime) {
    EntryMarks marks;
    marks.Set(EntryMark::kPartial);
    EndPartial(marks, at, entries);
  }
  if (at.now >= SaturatingAdd(dropping_since_, kDropReportInterval)) ReportDrops(at, entries);
}

void LineReader::Finish(const Arrival& at, Entries* entries) {
  if (!partial_.empty()) {
    EntryMarks marks;
    marks.Set(EntryMark::kPartial);
    EndPartial(marks, at, entries);
  }
  EndJoined(entries);
  ReportDrops(at, entries);
}

void LineReader::HoldPartial(std::string_view bytes, const Arrival& at) {
  if (partial_.empty()) partial_since_ = at.now;
  size_t held = std::min(bytes.size(), kMaxLineBytes - partial_.size());
  partial_ += bytes.substr(0, held);
  partial_cut_bytes_ += bytes.size() - held;
}

void LineReader::EndPartial(EntryMarks marks, const Arrival& at, Entries* entries) {
  std::string line = std::exchange(partial_, {});
  EndLine(line, std::exchange(partial_cut_bytes_, 0), marks, at, entries);
}

void LineReader::EndLine(std::string_view line, size_t cut_bytes, EntryMarks marks,
                         const Arrival& at, Entries* entries) {
  // Not with the next line that is taken: in a flood that would be for each line.
  if (at.now >= SaturatingAdd(dropping_since_, kDropReportInterval)) {
    EndJoined(entries);
    ReportDrops(at, entries);
  }
  if (!quota_.Take(line.size() + cut_bytes + 1, at.now)) {
    if (dropping_since_ == kNever) dropping_since_ = at.now;
    dropped_lines_ += 1;
    dropped_bytes_ += line.size() + cut_bytes + 1;
    return;
  }
  if (cut_bytes == 0) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return AddLine(line, marks, at, entries);
  }
  marks.Set(EntryMark::kCut);
  AddLine(fmt::format("{} [{} more bytes were cut]", line, cut_bytes), marks, at, entries);
}

void LineReader::AddLine(std::string_view line, EntryMarks marks, const Arrival& at,
                         Entries* entries) {
  if (IsEmpty(line)) {
    if (joined_.lines > 0 && ++joined_.empty_lines > kMaxEmptyLines) EndJoined(entries);
    return;
  }
  if (Joins(line)) {
    joined_.text.append(1 + joined_.empty_lines, '\n');
    joined_.text += line;
    joined_.empty_lines = 0;
    joined_.marks.Set(EntryMark::kJoined);
  } else {
    EndJoined(entries);
    trace_.Begin(line);
    joined_.text = line;
    joined_.arrival = ToLogTime(at.wall);
    joined_.began = at.now;
  }
  joined_.lines += 1;
  joined_.last = at.now;
  joined_.marks = EntryMarks(static_cast<uint8_t>(joined_.marks.bits() | marks.bits()));
  if (LooksLikeJson(joined_.text)) EndJoined(entries);
}

bool LineReader::Joins(std::string_view line) {
  return joined_.lines > 0 && joined_.lines < kMaxJoinedLines &&
         joined_.text.size() + joined_.empty_lines + 1 + line.size() <= kMaxJoinedBytes &&
         trace_.Continues(line);
}

void LineReader::EndJoined(Entries* entries) {
  if (joined_.lines == 0) return;
  std::string printable;
  EntryMarks marks = joined_.marks;
  AppendPrintable(printable, joined_.text, &marks);
  LogLine line = ParseLine(printable, joined_.arrival);
  line.marks = EntryMarks(static_cast<uint8_t>(line.marks.bits() | marks.bits()));
  entries->push_back({std::move(line), joined_.arrival});
  joined_.text.clear();
  joined_.lines = 0;
  joined_.empty_lines = 0;
  joined_.marks = {};
}

void LineReader::ReportDrops(const Arrival& at, Entries* entries) {
  if (dropping_since_ == kNever) return;
  LogLine line;
  line.severity = Severity::kWarning;
  line.marks.Set(EntryMark::kDropped);
  line.text = fmt::format("{} lines dropped ({} bytes): more than {} bytes a second",
                          dropped_lines_ - reported_lines_, dropped_bytes_ - reported_bytes_,
                          quota_.limits().bytes_per_second);
  entries->push_back({std::move(line), ToLogTime(at.wall)});
  reported_lines_ = dropped_lines_;
  reported_bytes_ = dropped_bytes_;
  dropping_since_ = kNever;
}

}  // namespace meridian::watch
