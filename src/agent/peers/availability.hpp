// Decides whether this data center can serve its own visitors; its SiteView reports that to all dns
// servers. Pure: its inputs are the problem and the time.
//
// Invariant: a restart of a tier or an instance makes it unavailable only if it lasts for
// kRestartGrace, so that DNS answers do not flap.
#pragma once

#include <optional>
#include <string>

#include "agent/limits.hpp"
#include "base/clock.hpp"

namespace meridian::agent {

struct UnavailableReason {
  std::string reason;       // "the session tier hangs"
  bool restarting = false;  // a restart is in progress
};

class Availability {
 public:
  void Observe(const std::optional<UnavailableReason>& impediment, TimePoint now) {
    if (!impediment) {
      since_.reset();
      reason_.clear();
      return;
    }
    if (!since_) since_ = now;
    bool lasts = !impediment->restarting || now - *since_ >= kRestartGrace;
    if (lasts) reason_ = impediment->reason;
  }

  bool available() const { return reason_.empty(); }
  // Why it is not available; empty when it is.
  const std::string& reason() const { return reason_; }

 private:
  std::optional<TimePoint> since_;
  std::string reason_;
};

}  // namespace meridian::agent
