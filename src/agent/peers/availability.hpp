// Whether this data center can serve its own visitors, which its SiteView tells all dns servers.
// Pure: told what is in the way, and the time.
//
// Invariant: what is usually over in a moment (a tier or an instance that is started again) makes
// it unavailable only when it lasts for kRestartGrace, so that answers do not flap.
#pragma once

#include <optional>
#include <string>

#include "agent/limits.hpp"
#include "base/clock.hpp"

namespace meridian::agent {

struct UnavailableReason {
  std::string reason;       // "the session tier hangs"
  bool restarting = false;  // it is being started again
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
