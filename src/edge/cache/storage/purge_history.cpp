#include "edge/cache/storage/purge_history.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "edge/cache/limits.hpp"
#include "edge/cache/purge.hpp"
#include "edge/cache/storage/optional_mutex.hpp"

namespace meridian::edge {

bool PurgeHistory::MayForbid(uint64_t mark, std::string_view key) const {
  if (mark == this->mark()) return false;
  const OptionalLock lock(mutex_);
  return mark < forgotten_ || std::ranges::any_of(
                                  purges_,
                                  [&](const Purge& purge) {
                                    return purge.number > mark && purge.matcher.MayMatch(key);
                                  });
}

std::optional<uint64_t> PurgeHistory::Admit(uint64_t mark, std::string_view key,
                                            std::span<const std::string_view> tags) const {
  if (mark == this->mark()) return mark;
  const OptionalLock lock(mutex_);
  const bool forbidden =
      mark < forgotten_ || std::ranges::any_of(
                               purges_,
                               [&](const Purge& purge) {
                                 return purge.number > mark && purge.matcher.Matches(key, tags);
                               });
  if (forbidden) return std::nullopt;
  return seen_.load(std::memory_order_relaxed);
}

uint64_t PurgeHistory::Remember(const PurgeMatcher& matcher) {
  const OptionalLock lock(mutex_);
  const uint64_t number = seen_.load(std::memory_order_relaxed) + 1;
  purges_.push_back({.number = number, .matcher = matcher});
  if (purges_.size() > kMaxRememberedPurges) {
    forgotten_ = purges_.front().number;
    purges_.pop_front();
  }
  seen_.store(number, std::memory_order_release);
  return number;
}

uint64_t PurgeHistory::RememberAll() {
  const OptionalLock lock(mutex_);
  forgotten_ = seen_.load(std::memory_order_relaxed) + 1;
  purges_.clear();
  seen_.store(forgotten_, std::memory_order_release);
  return forgotten_;
}

}  // namespace meridian::edge
