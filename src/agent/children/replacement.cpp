#include "agent/children/replacement.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>

#include "agent/limits.hpp"
#include "base/clock.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {

using site::InstanceState;

Duration Replacement::Doubled(Duration wait) {
  return std::max(wait, std::min(wait * 2, kMaxReplacementWait));
}

void Replacement::Observe(Watched& watched, InstanceState state, TimePoint now) const {
  if (state != InstanceState::kUnhealthy) watched.unhealthy_since.reset();
  if (state != InstanceState::kHealthy) watched.healthy_since.reset();
  if (state == InstanceState::kUnhealthy && !watched.unhealthy_since) watched.unhealthy_since = now;
  if (state == InstanceState::kHealthy && !watched.healthy_since) watched.healthy_since = now;
  // Healthy for as long as its wait has grown: resets the wait.
  if (watched.healthy_since && now - *watched.healthy_since >= watched.wait) {
    watched.wait = timeout_;
  }
}

std::optional<size_t> Replacement::Choose(std::span<const InstanceState> states, TimePoint now) {
  watched_.resize(states.size(), Watched{.wait = timeout_});
  for (size_t i = 0; i < states.size(); ++i) Observe(watched_[i], states[i], now);
  bool any_healthy = std::ranges::find(states, InstanceState::kHealthy) != states.end();
  if (any_healthy) wait_if_none_healthy_ = timeout_;
  const Duration wait = any_healthy ? timeout_ : wait_if_none_healthy_;
  if (replaced_at_ && now - *replaced_at_ < wait) return std::nullopt;
  std::optional<size_t> chosen;
  for (size_t i = 0; i < watched_.size(); ++i) {
    const std::optional<TimePoint>& since = watched_[i].unhealthy_since;
    if (!since || now - *since < watched_[i].wait) continue;
    if (!chosen || *since < *watched_[*chosen].unhealthy_since) chosen = i;
  }
  if (!chosen) return std::nullopt;
  watched_[*chosen].wait = Doubled(watched_[*chosen].wait);
  watched_[*chosen].unhealthy_since.reset();
  if (!any_healthy) wait_if_none_healthy_ = Doubled(wait_if_none_healthy_);
  replaced_at_ = now;
  return chosen;
}

}  // namespace meridian::agent
