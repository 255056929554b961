// OutputBuffer: the output of one process that the watch tier has not been sent yet, in order, with
// its drops. Owned by an OutputSource. Pure: the caller passes the time; one thread.
//
// Never holds more than its limit: past it output is dropped, up to the end of a line, and counted.
// What is kept of a source are the lines before the first that was dropped; the frame that says how
// many are missing stands at their place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "site/tier/output_frame.hpp"

namespace meridian::agent {

struct DroppedOutput {
  uint64_t lines = 0;
  uint64_t bytes = 0;
};

class OutputBuffer {
 public:
  void set_limit(size_t max_bytes) { max_bytes_ = max_bytes; }

  // Output as it was read at `time`, cut anywhere. Returns what of it was dropped.
  DroppedOutput Append(std::string_view bytes, WallTime time);
  // Output that must not be sent: its source has passed its quota.
  DroppedOutput Drop(std::string_view bytes, WallTime time);
  // The process has ended.
  void End(WallTime time);

  // The next frame, without its source; nothing: there is none.
  std::optional<site::OutputFrame> Take();

  bool empty() const { return frames_.empty(); }
  // Of what it holds, with the memory around it.
  size_t bytes() const { return bytes_; }

 private:
  void Keep(std::string_view bytes, WallTime time);
  void NoteDropped(std::string_view bytes, WallTime time);

  size_t max_bytes_ = 0;
  size_t bytes_ = 0;
  std::deque<site::OutputFrame> frames_;
  bool in_dropped_line_ = false;  // the line whose rest comes next has lost its beginning
};

}  // namespace meridian::agent
