#include "dns/health/health.hpp"

#include <algorithm>

#include "dns/limits.hpp"

namespace meridian::dns {

void Health::SetConfigured(ConfiguredState state) {
  if (configured_ == ConfiguredState::kOut && state == ConfiguredState::kStarting) {
    probed_ = Probed::kDown;
    hits_ = 0;
  }
  // A draining edge fails probes on purpose. If these misses counted, one more probe in flight
  // could take the data center out again just after its return.
  if (configured_ == ConfiguredState::kOut && state != ConfiguredState::kOut) misses_ = 0;
  const bool has_started =
      configured_ == ConfiguredState::kStarting && state == ConfiguredState::kServing;
  if (has_started && probed_ == Probed::kUnknown) misses_ = 0;
  configured_ = state;
}

void Health::ProbeHit() {
  misses_ = 0;
  hits_ = std::min(hits_ + 1, kHitsUntilBack);
  if (hits_ == kHitsUntilBack) probed_ = Probed::kUp;
}

void Health::ProbeMissed() {
  hits_ = 0;
  misses_ = std::min(misses_ + 1, kMissesUntilOut);
  const bool first_start = configured_ == ConfiguredState::kStarting && probed_ == Probed::kUnknown;
  if (misses_ == kMissesUntilOut && !first_start) probed_ = Probed::kDown;
}

void Health::DecideByFirstProbe() {
  bool missed = misses_ > 0 && hits_ == 0;
  if (probed_ != Probed::kUnknown || !missed || configured_ != ConfiguredState::kServing) return;
  probed_ = Probed::kDown;
  hits_ = kHitsUntilBack - 1;
}

bool Health::serving() const {
  if (configured_ == ConfiguredState::kOut || !available_) return false;
  return probed_ == Probed::kUnknown ? misses_ < kMissesUntilOut : probed_ == Probed::kUp;
}

}  // namespace meridian::dns
