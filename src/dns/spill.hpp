// How many of its clients each data center keeps when there are more than it can serve, so that a
// nearest one which is full does not fall over, and does not push the next one over either. Pure:
// loads and a time in, shares out. Owned by the thread that makes snapshots.
//
// A data center above its capacity gives away the share of its clients that brings it to
// kSpillTargetShare of the capacity, but all of them together give away no more than the others
// have room for: with no room anywhere, everyone keeps their own. Loads follow answers only as
// caches expire, so a share is changed at most once in a hold time. Between the relaxing share and
// the full capacity nothing changes, and so the shares come to rest.
//
// Servers of a site each compute this, from the same view. Where they differ for a moment, they
// differ in the few clients between their two shares.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/clock.hpp"

namespace meridian::dns {

struct SpillInput {
  double capacity = 0;  // requests a second; 0: not stated, and taken as boundless
  double load = 0;      // the same unit
  bool serving = true;
};

class Spill {
 public:
  // `hold` is how long a change takes to be seen in the loads: at least the TTL of the answers.
  Spill(size_t data_centers, Duration hold);

  // One input for each data center, always in the same order.
  void Step(std::span<const SpillInput> inputs, TimePoint now);

  // The share of the clients that come to this data center which stay: above 0, at most 1.
  double kept_share(size_t data_center) const { return states_[data_center].kept; }

 private:
  struct State {
    double kept = 1;
    TimePoint changed{};
    bool ever_changed = false;
  };
  bool MayChange(const State& state, TimePoint now) const;
  void Shed(State* state, double share, TimePoint now);
  void Relax(State* state, const SpillInput& input, TimePoint now);

  std::vector<State> states_;
  Duration hold_;
};

}  // namespace meridian::dns
