#include "store/mirror/clock_offset.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "base/clock.hpp"

namespace meridian::store {
namespace {

// In the year 2112; of later times the differences in nanoseconds might overflow.
constexpr int64_t kMaxMicroseconds = int64_t{1} << 52;

bool IsPlausible(int64_t us) { return us > 0 && us < kMaxMicroseconds; }

}  // namespace

int64_t WallMicroseconds(WallTime wall) {
  return std::chrono::floor<std::chrono::microseconds>(wall.time_since_epoch()).count();
}

void ClockOffset::Take(const ClockEcho& echo, int64_t heard_us) {
  if (echo.asked_us == last_asked_us_) return;
  if (!IsPlausible(echo.asked_us) || !IsPlausible(echo.received_us) ||
      !IsPlausible(echo.answered_us) || !IsPlausible(heard_us)) {
    return;
  }
  last_asked_us_ = echo.asked_us;
  int64_t held_us = echo.answered_us - echo.received_us;
  int64_t round_trip_us = (heard_us - echo.asked_us) - held_us;
  // A clock was set meanwhile.
  if (held_us < 0 || round_trip_us < 0) return;
  int64_t twice_us = (echo.received_us - echo.asked_us) + (echo.answered_us - heard_us);
  samples_[count_ % samples_.size()] = {.offset = std::chrono::microseconds{twice_us} / 2,
                                        .error = std::chrono::microseconds{round_trip_us} / 2};
  ++count_;
}

std::optional<ClockOffset::Estimate> ClockOffset::best() const {
  std::span<const Estimate> taken(samples_.data(), std::min(count_, samples_.size()));
  if (taken.empty()) return std::nullopt;
  return *std::ranges::min_element(taken, {}, &Estimate::error);
}

}  // namespace meridian::store
