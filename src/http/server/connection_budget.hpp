// ConnectionBudget: the number of connections that the servers of a tier may have open together,
// whatever their ports and loops. Owned by the tier. Any thread: a relaxed counter, which guards no
// other memory.
#pragma once

#include <atomic>
#include <cstddef>

namespace meridian::http {

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
  // gives its own back, in the next loop iteration.
  void TakeForEvicted() { open_.fetch_add(1, std::memory_order_relaxed); }
  void Give() { open_.fetch_sub(1, std::memory_order_relaxed); }

  size_t limit() const { return limit_; }

 private:
  const size_t limit_;
  std::atomic<size_t> open_{0};
};

}  // namespace meridian::http
