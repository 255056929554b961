// The lifecycle of a data center by its own agent: starting, serving, draining, drained. Pure: its
// inputs are events and the time.
//
// Invariants: it is serving once all tiers are ready and an instance is healthy, and stays serving
// while parts of it restart (its edge serves by forwarding). It is drained when visitors have made
// no new connection for `quiet` since the start of the drain, or kMaxDrainTime is over; and its
// instances have no request in flight, or kRequestDrainTimeout more is over (websockets, say, last
// longer). `quiet` is the TTL of the DNS answers and some grace, after which no visitor holds an
// old answer.
#pragma once

#include <algorithm>
#include <cstdint>

#include "agent/limits.hpp"
#include "base/clock.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {

class Lifecycle {
 public:
  explicit Lifecycle(Duration quiet) : quiet_(quiet) {}

  site::DataCenterState state() const { return state_; }

  void OnReadiness(bool tiers_ready, bool instance_healthy) {
    using enum site::DataCenterState;
    if (state_ == kStarting && tiers_ready && instance_healthy) state_ = kServing;
  }

  // False if it was not serving.
  bool Drain(TimePoint now) {
    using enum site::DataCenterState;
    if (state_ == kDraining || state_ == kDrained) return true;
    if (state_ != kServing) return false;
    state_ = kDraining;
    begun_ = last_connection_ = now;
    cut_short_ = false;
    return true;
  }

  bool Undrain() {
    using enum site::DataCenterState;
    if (state_ != kDraining && state_ != kDrained) return state_ == kServing;
    state_ = kServing;
    return true;
  }

  // `total`: number of connections of visitors to the edge so far (it may restart from 0).
  void OnConnections(uint64_t total, TimePoint now) {
    if (total != connections_) last_connection_ = now;
    connections_ = total;
  }

  // `has_requests`: its instances have requests in flight.
  void OnTick(TimePoint now, bool has_requests) {
    using enum site::DataCenterState;
    if (state_ != kDraining) return;
    TimePoint quiet_at = last_connection_ + quiet_;
    TimePoint limit = begun_ + std::max(quiet_, kMaxDrainTime);
    Duration wait = has_requests ? kRequestDrainTimeout : Duration::zero();
    if (now < std::min(quiet_at, limit) + wait) return;
    state_ = kDrained;
    cut_short_ = now < quiet_at;
  }

  // It is drained although new connections of visitors still came: kMaxDrainTime was over.
  bool cut_short() const { return state_ == site::DataCenterState::kDrained && cut_short_; }

 private:
  Duration quiet_;
  site::DataCenterState state_ = site::DataCenterState::kStarting;
  uint64_t connections_ = 0;
  TimePoint begun_{};
  TimePoint last_connection_{};
  bool cut_short_ = false;
};

}  // namespace meridian::agent
