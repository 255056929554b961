// ClockOffset: how far another data center's clock is ahead of ours, estimated as NTP does (RFC
// 5905, section 8) from four times: when we asked and heard the answer, by our clock; when the
// other one received the question and answered, by its clock. The way there and the way back are
// taken to be equally long; where they are not, the estimate is off by half the round trip at the
// most. Of the last kClockSamples the one with the shortest round trip counts.
//
// Pure; owned by a MirrorClient; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "store/limits.hpp"

namespace meridian::store {

// A wall clock's microseconds since the Unix epoch, as they are sent.
int64_t WallMicroseconds(WallTime wall);

// The answer to the follower's last acknowledgement.
struct ClockEcho {
  int64_t asked_us = 0;     // by the follower's clock; 0: nothing was asked yet
  int64_t received_us = 0;  // by the source's clock
  int64_t answered_us = 0;

  bool operator==(const ClockEcho&) const = default;
};

class ClockOffset {
 public:
  struct Estimate {
    Duration offset{};  // the other's clock is so far ahead of ours; negative: behind
    Duration error{};   // the offset is at most so far from that, either way
  };

  // An answer has come, at `heard_us` by our clock. One that has come before, or whose times are
  // impossible, is passed over.
  void Take(const ClockEcho& echo, int64_t heard_us);
  // Nothing: there was no answer yet.
  std::optional<Estimate> best() const;
  // The connection is another one: what was asked in the last one is not answered any more.
  void Clear() { *this = {}; }

 private:
  std::array<Estimate, kClockSamples> samples_;
  size_t count_ = 0;  // ever taken
  int64_t last_asked_us_ = 0;
};

}  // namespace meridian::store
