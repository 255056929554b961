// Detects that a running process has stopped answering its probes. Pure: its inputs are the outcome
// of each probe and the time.
//
// Invariants: only time between probes counts as silence, so tiers do not count as hung because the
// agent itself was stopped. A process without a first answer may still be starting, and gets
// kFirstAnswerTimeout.
#pragma once

#include <algorithm>

#include "agent/limits.hpp"
#include "base/clock.hpp"

namespace meridian::agent {

class HangDetector {
 public:
  // `kill_after`: the silence after which the process should be killed.
  HangDetector(Duration kill_after, TimePoint started)
      : kill_after_(std::max(kill_after, kHungAfter)), last_probe_(started) {}

  void OnAnswer(TimePoint now) {
    answered_ = true;
    silence_ = Duration::zero();
    last_probe_ = now;
  }
  void OnMiss(TimePoint now) {
    silence_ += std::min(now - last_probe_, kProbeInterval + kProbeTimeout);
    last_probe_ = now;
  }

  bool hung() const { return silence_ >= (answered_ ? kHungAfter : kFirstAnswerTimeout); }
  bool overdue() const { return silence_ >= (answered_ ? kill_after_ : kFirstAnswerTimeout); }
  Duration silence() const { return silence_; }

 private:
  Duration kill_after_;
  TimePoint last_probe_;
  Duration silence_ = Duration::zero();
  bool answered_ = false;
};

}  // namespace meridian::agent
