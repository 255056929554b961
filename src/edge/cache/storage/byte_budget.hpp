// ByteBudget: the limit and use of the cache's memory: stored responses, their index, and bodies
// that still arrive. The owner of memory holds a Charge until the memory is freed: a response that
// was evicted while a slow visitor still reads it stays charged.
//
// Shared by the store, stored responses and bodies of all loops. Any thread: used() is one atomic
// counter, which is written when memory is taken or given back, not by hits. No mutex of the store
// may be held while bytes are taken, as that may evict. Invariant: used() <= limit().
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include "base/check.hpp"

namespace meridian::edge {

// Upper bound for the overhead of one allocation, with the allocators in use.
constexpr size_t kAllocationBytes = 16;

class ByteBudget {
 public:
  explicit ByteBudget(size_t limit) : limit_(limit) {}

  size_t limit() const { return limit_; }
  size_t used() const { return used_.load(std::memory_order_relaxed); }

  // `make_room` is called with the number of missing bytes, and frees as many as it can. It is set
  // before other threads use the budget.
  void set_make_room(std::function<void(size_t)> make_room) { make_room_ = std::move(make_room); }

  // False: there is no room, and nothing is taken.
  [[nodiscard]] bool Take(size_t bytes) {
    if (bytes > limit_) return false;
    if (TakeFree(bytes)) return true;
    // Another thread may take the room that was made here.
    for (int tries = 0; make_room_ && tries < kMaxTries; ++tries) {
      const size_t used = this->used();
      if (used > limit_ - bytes) make_room_(used - (limit_ - bytes));
      if (TakeFree(bytes)) return true;
    }
    return false;
  }
  void Give(size_t bytes) {
    const size_t before = used_.fetch_sub(bytes, std::memory_order_relaxed);
    CHECK(bytes <= before);
  }

 private:
  static constexpr int kMaxTries = 4;

  bool TakeFree(size_t bytes) {
    size_t used = this->used();
    while (used <= limit_ - bytes) {
      if (used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed)) return true;
    }
    return false;
  }

  const size_t limit_;
  std::function<void(size_t)> make_room_;
  alignas(64) std::atomic<size_t> used_ = 0;
};

// Bytes taken of a budget; the destructor gives them back. One thread at a time.
class Charge {
 public:
  explicit Charge(std::shared_ptr<ByteBudget> budget) : budget_(std::move(budget)) {}
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;
  ~Charge() { Reset(); }

  size_t bytes() const { return bytes_; }
  const std::shared_ptr<ByteBudget>& budget() const { return budget_; }
  [[nodiscard]] bool Add(size_t bytes) {
    if (!budget_->Take(bytes)) return false;
    bytes_ += bytes;
    return true;
  }
  void Remove(size_t bytes) {
    CHECK(bytes <= bytes_);
    bytes_ -= bytes;
    budget_->Give(bytes);
  }
  void Reset() { Remove(bytes_); }

 private:
  std::shared_ptr<ByteBudget> budget_;
  size_t bytes_ = 0;
};

}  // namespace meridian::edge
