// PurgeHistory: the purges of the process, numbered, so that a response that was requested before a
// purge is not stored after it, whichever loop fetched it. Owned by the store; any thread.
//
// A fetch reads mark() before it sends its request. While there was no purge since, a judgement
// takes no lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>

#include "edge/cache/purge.hpp"
#include "edge/cache/storage/optional_mutex.hpp"

namespace meridian::edge {

class PurgeHistory {
 public:
  // `shared`: several threads use it.
  explicit PurgeHistory(bool shared) : mutex_(shared) {}

  // The number of purges so far.
  uint64_t mark() const { return seen_.load(std::memory_order_acquire); }
  // True if one of the purges since `mark` matches a response with this key and these tags, or if
  // some of them are no longer remembered.
  bool Forbids(uint64_t mark, std::string_view key, std::span<const std::string_view> tags) const {
    return !Admit(mark, key, tags);
  }
  // The same for a response whose tags are not known yet: every purge by tag may match.
  bool MayForbid(uint64_t mark, std::string_view key) const;
  // Nothing if a purge since `mark` forbids the response, else the number of purges so far, none of
  // which does.
  std::optional<uint64_t> Admit(uint64_t mark, std::string_view key,
                                std::span<const std::string_view> tags) const;

  // Adds a purge; returns its number, from 1.
  uint64_t Remember(const PurgeMatcher& matcher);
  // Adds a purge of everything.
  uint64_t RememberAll();

 private:
  struct Purge {
    uint64_t number;
    PurgeMatcher matcher;
  };

  mutable OptionalMutex mutex_;  // guards the members below; seen_ is written under it
  std::deque<Purge> purges_;
  uint64_t forgotten_ = 0;  // fetches with a mark below this are not stored
  std::atomic<uint64_t> seen_ = 0;
};

}  // namespace meridian::edge
