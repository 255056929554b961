// ConnectionBudget: the number of connections that the servers of a tier may have open together,
// whatever their ports and loops; and what each loop's connections wait for, so that a loop at the
// limit knows which loop can best close one of its own.
//
// Owned by the tier. Any thread: relaxed counters, which guard no other memory. A loop's counts are
// written by that loop alone, on a cache line of their own; the others read them only at the limit.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.hpp"
#include "io/loop.hpp"

namespace meridian::http {

class ServerGroup;

// What a connection waits for that may be evicted.
enum class Waiting : uint8_t { kHandshake, kIdle, kHead };
constexpr size_t kWaitingKinds = 3;

// The connections of one loop's ServerGroup.
struct GroupConnections {
  GroupConnections(io::Loop& of, ServerGroup& by) : loop(of), group(&by) {}

  io::Loop& loop;
  ServerGroup* group;  // the loop's thread alone; null when it has ended

  alignas(64) std::atomic<size_t> staying = 0;  // all but those that were evicted
  std::array<std::atomic<size_t>, kWaitingKinds> waiting = {};
  // Since when the oldest of each kind waits.
  std::array<std::atomic<Duration::rep>, kWaitingKinds> oldest = {};
  // Of `waiting`: other loops have asked to evict so many. They and the loop write it.
  alignas(64) std::array<std::atomic<size_t>, kWaitingKinds> asked = {};

  // The number of connections without those that other loops have asked this loop to close.
  size_t stay() const {
    size_t going = 0;
    for (const auto& each : asked) going += each.load(std::memory_order_relaxed);
    const size_t now = staying.load(std::memory_order_relaxed);
    return now > going ? now - going : 0;
  }
  TimePoint oldest_since(Waiting kind) const {
    return TimePoint(Duration(oldest[static_cast<size_t>(kind)].load(std::memory_order_relaxed)));
  }
  // Those that can still be evicted.
  size_t left(Waiting kind) const {
    const auto index = static_cast<size_t>(kind);
    const size_t of_all = waiting[index].load(std::memory_order_relaxed);
    const size_t taken = asked[index].load(std::memory_order_relaxed);
    return of_all > taken ? of_all - taken : 0;
  }
};

class ConnectionBudget {
 public:
  explicit ConnectionBudget(size_t limit) : limit_(limit) {}

  // Takes a connection from the budget; false: none is left.
  [[nodiscard]] bool Take() {
    if (open_.fetch_add(1, std::memory_order_relaxed) < limit_) return true;
    Give();
    return false;
  }
  // The same beyond the limit, for a connection that replaces an evicted one: that one ends, and
  // gives its own back, in the next iteration of its loop.
  void TakeForEvicted() { open_.fetch_add(1, std::memory_order_relaxed); }
  void Give() { open_.fetch_sub(1, std::memory_order_relaxed); }

  size_t limit() const { return limit_; }
  bool IsExceeded() const { return open_.load(std::memory_order_relaxed) > limit_; }

  void Add(std::shared_ptr<GroupConnections> group) {
    const std::lock_guard lock(mutex_);
    groups_.push_back(std::move(group));
  }
  void Remove(const std::shared_ptr<GroupConnections>& group) {
    const std::lock_guard lock(mutex_);
    std::erase(groups_, group);
  }
  std::vector<std::shared_ptr<GroupConnections>> groups() const {
    const std::lock_guard lock(mutex_);
    return groups_;
  }

 private:
  const size_t limit_;
  std::atomic<size_t> open_{0};
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<GroupConnections>> groups_;  // one for each loop
};

}  // namespace meridian::http
