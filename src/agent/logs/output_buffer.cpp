#include "agent/logs/output_buffer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "agent/limits.hpp"
#include "base/clock.hpp"
#include "site/tier/output_frame.hpp"

namespace meridian::agent {
namespace {

using site::OutputFrame;
using site::OutputKind;

uint64_t LinesIn(std::string_view bytes) {
  return static_cast<uint64_t>(std::ranges::count(bytes, '\n'));
}

size_t CostOf(const OutputFrame& frame) { return kOutputFrameCost + frame.bytes.size(); }

}  // namespace

DroppedOutput OutputBuffer::Append(std::string_view bytes, WallTime time) {
  DroppedOutput dropped;
  if (in_dropped_line_) {
    const size_t end = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
    dropped = Drop(bytes.substr(0, end), time);
    bytes.remove_prefix(end);
    if (bytes.empty()) return dropped;
  }
  if (bytes_ + kOutputFrameCost + bytes.size() <= max_bytes_) {
    Keep(bytes, time);
    return dropped;
  }
  const DroppedOutput rest = Drop(bytes, time);
  return {.lines = dropped.lines + rest.lines, .bytes = dropped.bytes + rest.bytes};
}

DroppedOutput OutputBuffer::Drop(std::string_view bytes, WallTime time) {
  NoteDropped(bytes, time);
  in_dropped_line_ = !bytes.ends_with('\n');
  return {.lines = LinesIn(bytes), .bytes = bytes.size()};
}

void OutputBuffer::End(WallTime time) {
  in_dropped_line_ = false;
  // A drop ends a line as well, so that a process that restarts again and again takes no memory.
  if (frames_.empty() || frames_.back().kind == OutputKind::kBytes) {
    frames_.push_back({.kind = OutputKind::kEnd, .time = time});
    bytes_ += kOutputFrameCost;
  }
}

std::optional<OutputFrame> OutputBuffer::Take() {
  if (frames_.empty()) return std::nullopt;
  OutputFrame frame = std::move(frames_.front());
  frames_.pop_front();
  bytes_ -= CostOf(frame);
  return frame;
}

void OutputBuffer::Keep(std::string_view bytes, WallTime time) {
  while (!bytes.empty()) {
    OutputFrame* last = frames_.empty() ? nullptr : &frames_.back();
    const bool fits = last != nullptr && last->kind == OutputKind::kBytes &&
                      last->bytes.size() < site::kMaxOutputBytes &&
                      time - last->time < kMaxOutputFrameTime && time >= last->time;
    if (!fits) {
      last = &frames_.emplace_back(OutputFrame{.kind = OutputKind::kBytes, .time = time});
      bytes_ += kOutputFrameCost;
    }
    const std::string_view piece = bytes.substr(0, site::kMaxOutputBytes - last->bytes.size());
    last->bytes += piece;
    bytes_ += piece.size();
    bytes.remove_prefix(piece.size());
  }
}

void OutputBuffer::NoteDropped(std::string_view bytes, WallTime time) {
  if (frames_.empty() || frames_.back().kind != OutputKind::kDropped) {
    frames_.push_back({.kind = OutputKind::kDropped, .time = time});
    bytes_ += kOutputFrameCost;
  }
  frames_.back().dropped_lines += LinesIn(bytes);
  frames_.back().dropped_bytes += bytes.size();
}

}  // namespace meridian::agent
