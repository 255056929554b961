#include "dns/health.hpp"

#include <algorithm>

#include "dns/limits.hpp"

namespace meridian::dns {

void Health::ProbeHit() {
  misses_ = 0;
  hits_ = std::min(hits_ + 1, kHitsUntilBack);
  if (hits_ == kHitsUntilBack) probed_ = Probed::kUp;
}

void Health::ProbeMissed() {
  hits_ = 0;
  misses_ = std::min(misses_ + 1, kMissesUntilOut);
  if (misses_ == kMissesUntilOut) probed_ = Probed::kDown;
}

bool Health::serving() const {
  switch (configured_) {
    case ConfiguredState::kOut:
      return false;
    case ConfiguredState::kStarting:
      return probed_ == Probed::kUp;
    case ConfiguredState::kServing:
      return probed_ != Probed::kDown;
  }
  return false;
}

}  // namespace meridian::dns
