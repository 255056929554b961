#include "dispatch/policy/health.hpp"

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace meridian::dispatch {

using Standing = InstanceHealth::Standing;

Standing InstanceHealth::standing(TimePoint now) const {
  if (!said_healthy_ || sick_ || refused_) return Standing::kOut;
  if (!ejected_) return Standing::kIn;
  return now < ejected_until_ ? Standing::kOut : Standing::kTrial;
}

double InstanceHealth::weight(TimePoint now, Duration slow_start) const {
  Duration in = now - in_since_;
  if (in >= slow_start) return 1;
  return std::clamp(Seconds(in) / Seconds(slow_start), kFirstWeight, 1.0);
}

void InstanceHealth::OnView(bool said_healthy, TimePoint now) {
  if (said_healthy && !said_healthy_) {
    // The agent's successful check is newer than the dispatcher's evidence.
    in_since_ = now;
    refused_ = sick_ = false;
    check_misses_ = 0;
  }
  said_healthy_ = said_healthy;
}

void InstanceHealth::OnCheck(Check check, TimePoint now) {
  if (check != Check::kGood) {
    if (refused_ || ++check_misses_ >= kCheckMisses) sick_ = true;
    refused_ = check == Check::kRefused;
    return;
  }
  check_misses_ = 0;
  if (refused_ || sick_) in_since_ = now;
  refused_ = sick_ = false;
  if (ejected_ && now >= ejected_until_) Return(now);
}

void InstanceHealth::OnAnswered(bool well, TimePoint now) {
  unanswered_in_row_ = 0;
  if (!well) failures_.Add(now);
  if (!ejected_ || now < ejected_until_) return;
  well ? Return(now) : Eject(now);
}

void InstanceHealth::OnUnanswered(TimePoint now) {
  ++unanswered_in_row_;
  failures_.Add(now);
  if (ejected_ && now >= ejected_until_) Eject(now);
}

void InstanceHealth::Eject(TimePoint now) {
  if (ejections_ > 0 && now - ejected_until_ >= kForgiveAfter) ejections_ = 0;
  Duration length = kFirstEjection;
  for (uint32_t i = 0; i < ejections_ && length < kMaxEjection; ++i) length *= 2;
  ++ejections_;
  ejected_ = true;
  ejected_until_ = now + std::min(length, kMaxEjection);
}

// The instance gets requests again; its earlier results are forgotten.
void InstanceHealth::Return(TimePoint now) {
  ejected_ = false;
  in_since_ = now;
  unanswered_in_row_ = 0;
  requests_.Clear();
  failures_.Clear();
}

}  // namespace meridian::dispatch
