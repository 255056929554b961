// ClockOffset: how far another data center's clock is ahead of ours, estimated as in NTP (RFC 5905,
// section 8) from four times: when we asked and got the answer, by our clock; when the other data
// center received the question and answered, by its clock. Both directions are assumed to take
// equally long; where they do not, the estimate is wrong by at most half the round trip. Of the
// last kClockSamples samples the one with the shortest round trip counts.
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

  // An answer was received at `heard_us` by our clock. Old answers, and those with impossible
  // times, are ignored.
  void Take(const ClockEcho& echo, int64_t heard_us);
  // Nothing: there was no answer yet.
  std::optional<Estimate> best() const;
  // There is a new connection: questions of the last one get no answer.
  void Clear() { *this = {}; }

 private:
  std::array<Estimate, kClockSamples> samples_;
  size_t count_ = 0;  // ever taken
  int64_t last_asked_us_ = 0;
};

}  // namespace meridian::store
