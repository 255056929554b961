// Decides whether a data center may be in answers, from the probes of its edge and the site's view.
// Each data center has one; owned by DataCenters; one thread. Pure.
//
// The view can take a data center out at once. Only probes bring it back, or take it out if it
// fails without notice. Until probes have decided, the view's state applies: a new dns server must
// not answer as if all data centers were down. Misses of a data center that starts for the first
// time are forgotten when the view says that it serves.
#pragma once

#include <cstdint>

namespace meridian::dns {

// The state in the view. Draining, drained and down are all kOut: they are not in answers.
enum class ConfiguredState : uint8_t { kServing, kStarting, kOut };

class Health {
 public:
  void SetConfigured(ConfiguredState state);
  // `available` of the data center's view: false takes it out at once, true reverts that.
  void SetAvailable(bool available) { available_ = available; }

  void ProbeHit();     // the edge answered 200 in time
  void ProbeMissed();  // any other result
  // Call once, when every data center has been probed and at least one has answered. After a miss a
  // data center whose view says serving is out until the next hit. A starting data center gets
  // kMissesUntilOut probes.
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
