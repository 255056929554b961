#include "base/hybrid_clock.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace meridian {
namespace {

// The largest time that a Duration of 64-bit nanoseconds can hold, in milliseconds: the year 2262.
constexpr uint64_t kMaxWallMilliseconds = static_cast<uint64_t>(INT64_MAX / 1'000'000);

}  // namespace

HybridTime HybridTime::FromWall(WallTime wall) {
  auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(wall.time_since_epoch());
  if (since_epoch.count() < 0) return {};
  return {static_cast<uint64_t>(since_epoch.count()) << kCounterBits};
}

WallTime HybridTime::Wall() const {
  auto count = static_cast<int64_t>(std::min(this->milliseconds(), kMaxWallMilliseconds));
  return WallTime{std::chrono::milliseconds{count}};
}

void HybridClock::StartAt(HybridTime floor) {
  if (floor > last_) last_ = floor;
}

Result<HybridTime> HybridClock::Now() {
  HybridTime next = std::max(last_.Next(), HybridTime::FromWall(clock_.Wall()));
  if (next >= bound_) {
    return Fail(Errc::kUnavailable,
                "no stamp can be given: the clock's bound on disk is {:.3f} s behind",
                Seconds(next.Wall() - bound_.Wall()));
  }
  last_ = next;
  return next;
}

HybridTime HybridClock::Present() const {
  return std::max(last_, HybridTime::FromWall(clock_.Wall()));
}

Result<void> HybridClock::CheckSkew(HybridTime remote) const {
  Duration lead = LeadOf(remote);
  if (lead <= max_lead_) return {};
  return Fail(Errc::kInvalid, "a stamp from {:.3f} s in the future; at most {:.3f} s are allowed",
              Seconds(lead), Seconds(max_lead_));
}

Result<void> HybridClock::Observe(HybridTime remote) {
  if (Result<void> plausible = CheckSkew(remote); !plausible) return plausible;
  // A stamp directly below the bound is refused too, because no stamp could follow it.
  if (remote.Next() >= bound_) {
    return Fail(Errc::kUnavailable, "a stamp {:.3f} s above the clock's bound on disk",
                Seconds(remote.Wall() - bound_.Wall()));
  }
  last_ = std::max(last_, remote);
  return {};
}

HybridTime HybridClock::WantedBound(Duration window, HybridTime remote) const {
  WallTime from = std::max({clock_.Wall(), last_.Wall(), remote.Wall()});
  return HybridTime::FromWall(from + window);
}

void HybridClock::SetBound(HybridTime bound) {
  CHECK(!bounded_ || bound >= bound_);
  CHECK(bound > last_);
  bound_ = bound;
  bounded_ = true;
}

}  // namespace meridian
