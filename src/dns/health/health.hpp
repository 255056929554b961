// Whether a data center is to be answered: what the probes of its edge say, under what the site's
// view says of it. One of these for each data center, owned by the prober, one thread. Pure.
//
// The view can take a data center out at once; only probes bring it back or take it out when it
// fails without a word. Until probes have decided, the view's state counts: a dns server that has
// just started must not answer as if all were down.
#pragma once

#include <cstdint>

namespace meridian::dns {

// What the view says. Draining, drained and down are all kOut: none of them may be answered.
enum class ConfiguredState : uint8_t { kServing, kStarting, kOut };

class Health {
 public:
  void SetConfigured(ConfiguredState state);
  // What the data center says of itself: false takes it out at once, and true back.
  void SetAvailable(bool available) { available_ = available; }

  void ProbeHit();     // the edge said 200 in time
  void ProbeMissed();  // anything else
  // To be called once, when every data center has been probed once and one of them answered: a miss
  // takes a data center out that has said that it serves, and the next hit brings it back. One that
  // is starting gets its three probes.
  void DecideByFirstProbe();
  bool was_hit() const { return hits_ > 0; }

  bool serving() const;

 private:
  enum class Probed : uint8_t { kUnknown, kUp, kDown };

  ConfiguredState configured_ = ConfiguredState::kServing;
  bool available_ = true;
  Probed probed_ = Probed::kUnknown;
  int misses_ = 0;  // in a row, up to kMissesUntilOut
  int hits_ = 0;    // in a row, up to kHitsUntilBack
};

}  // namespace meridian::dns
