// ByteBudget: the limit and use of the cache's memory: stored responses, their index, and bodies
// that still arrive. The owner of memory holds a Charge until the memory is freed: a response that
// was evicted while a slow visitor still reads it stays charged.
//
// Shared by the store, stored responses and bodies. One thread. Invariant: used() <= limit().
#pragma once

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
  size_t used() const { return used_; }

  // `make_room` is called with the number of missing bytes, and frees as many as it can.
  void set_make_room(std::function<void(size_t)> make_room) { make_room_ = std::move(make_room); }

  // False: there is no room, and nothing is taken.
  [[nodiscard]] bool Take(size_t bytes) {
    if (bytes > limit_) return false;
    if (used_ > limit_ - bytes && make_room_) make_room_(used_ + bytes - limit_);
    if (used_ > limit_ - bytes) return false;
    used_ += bytes;
    return true;
  }
  void Give(size_t bytes) {
    CHECK(bytes <= used_);
    used_ -= bytes;
  }

 private:
  size_t limit_;
  size_t used_ = 0;
  std::function<void(size_t)> make_room_;
};

// Bytes taken of a budget; the destructor gives them back.
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
