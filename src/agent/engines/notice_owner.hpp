// Decides whether this data center's Alertmanager sends the notices that concern the whole site, so
// that people are told once. Pure; one thread: the agent's loop.
//
// Each agent tells the others in its view whether it is the owner. A data center becomes the owner
// when it has seen none for a while, the earliest of site.toml first. It stays the owner until it
// is lost, or until it could send no notice for a while, so that it also sends the end of an alert
// that it sent; a data center that returns does not take over. Cut off from each other, each side
// has an owner: a notice that comes twice is better than none. Afterwards the later one of
// site.toml gives up after kNoticeOverlap, in which it sends the end of the partition.
#pragma once

#include <optional>

#include "agent/limits.hpp"
#include "base/clock.hpp"

namespace meridian::agent {

class NoticeOwner {
 public:
  // The other data centers that serve: earlier and later ones of site.toml.
  struct Others {
    bool earlier_serves = false;
    bool earlier_owns = false;
    bool later_owns = false;
  };

  bool owns() const { return owns_; }

  // `able`: this data center serves, and its engines are ready. Call it at every change and each
  // second.
  void Observe(bool able, Others others, TimePoint now) {
    if (!able) return OnUnable(now);
    unable_since_.reset();
    if (!owns_) {
      if (others.earlier_owns || others.later_owns || !alone_since_) {
        alone_since_ = now;
      }
      owns_ = now - *alone_since_ >=
              (others.earlier_serves ? kLateNoticeClaimDelay : kNoticeClaimDelay);
      overlap_since_.reset();
    } else if (!others.earlier_owns) {
      overlap_since_.reset();
    } else if (!overlap_since_) {
      overlap_since_ = now;
    } else if (now - *overlap_since_ >= kNoticeOverlap) {
      owns_ = false;
      alone_since_.reset();
    }
  }

 private:
  void OnUnable(TimePoint now) {
    alone_since_.reset();
    if (!unable_since_) unable_since_ = now;
    if (now - *unable_since_ >= kNoticeRelease) owns_ = false;
  }

  bool owns_ = false;
  std::optional<TimePoint> unable_since_;
  std::optional<TimePoint> alone_since_;    // no other data center is known to be the owner
  std::optional<TimePoint> overlap_since_;  // an earlier data center is the owner, too
};

}  // namespace meridian::agent
