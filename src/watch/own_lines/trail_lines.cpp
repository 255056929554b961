#include "watch/own_lines/trail_lines.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/lines/line_reader.hpp"
#include "watch/own_lines/limits.hpp"
#include "watch/own_lines/own_line.hpp"
#include "watch/own_lines/trail_file.hpp"

namespace meridian::watch {

bool TrailLines::Take(const TrailRead& read, const Arrival& at, std::vector<ArrivedLine>* lines) {
  if (read.step.begins) {
    reader_.Finish(at, lines);
    torn_line_.reset();
    torn_since_ = kNever;
    skips_line_ = read.step.mid_line;
  }
  next_ = read.position;
  if (reader_.empty()) {
    safe_ = next_;
  } else {
    // Its offset stays; the file may have got a head.
    safe_->head = next_->head;
    safe_->written = next_->written;
  }
  std::string_view bytes = read.bytes;
  for (size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    torn_since_ = kNever;
    TakeLine(bytes.substr(0, end + 1), at, lines);
    bytes.remove_prefix(end + 1);
  }
  TakeRest(bytes, at, lines);
  return read.step.begins || next_->offset > read.position.offset;
}

void TrailLines::TakeLine(std::string_view line, const Arrival& at,
                          std::vector<ArrivedLine>* lines) {
  const uint64_t begin = torn_line_.value_or(next_->offset);
  const bool skipped = skips_line_ || (skips_output_ && !torn_line_ && IsApplicationOutput(line));
  const size_t before = lines->size();
  if (!skipped) reader_.Feed(line, ArrivalOf(line, at), lines);
  skips_line_ = false;
  torn_line_.reset();
  next_->offset += line.size();
  if (reader_.empty()) {
    safe_->offset = next_->offset;
  } else if (lines->size() > before) {
    safe_->offset = begin;  // what was held before has become entries; this line is held
  }
}

void TrailLines::TakeRest(std::string_view rest, const Arrival& at,
                          std::vector<ArrivedLine>* lines) {
  if (rest.empty()) return;
  if (torn_since_ == kNever) torn_since_ = at.now;
  if (rest.size() < kTrailReadBytes && at.now < torn_since_ + kMaxTornLineTime) return;
  torn_since_ = kNever;
  if (!torn_line_) torn_line_ = next_->offset;
  if (!skips_line_) reader_.Feed(rest, ArrivalOf(rest, at), lines);
  next_->offset += rest.size();
}

void TrailLines::Expire(const Arrival& at, std::vector<ArrivedLine>* lines) {
  if (reader_.deadline() > at.now) return;
  reader_.Expire(at, lines);
  if (!reader_.empty() || !next_) return;
  safe_ = next_;
  torn_line_.reset();
}

Arrival TrailLines::ArrivalOf(std::string_view line, const Arrival& at) const {
  const LogTime now = ToLogTime(at.wall);
  std::optional<LogTime> own = OwnLineTime(line);
  LogTime time = own.value_or(std::min(now, ToLogTime(next_->written)));
  if (time > now + kMaxTimeAhead) time = now;
  const Duration age = std::clamp<Duration>(now - time, Duration::zero(), kMaxLineAge);
  return {.now = at.now - age, .wall = time};
}

}  // namespace meridian::watch
