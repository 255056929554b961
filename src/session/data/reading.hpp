// Reading: a long reply that visits a collection over several loop iterations, and must show it as
// it was in the first of them. Readings: all readings of one collection.
//
// A Reading is owned by its reply, Readings by the collection; one thread: the loop's.
#pragma once

#include <cstddef>
#include <utility>

#include "base/check.hpp"
#include "session/limits.hpp"

namespace meridian::session {

class Reading {
 public:
  // The collection is about to change or to be freed: read what is still unread now. The reading
  // was removed from the collection's readings.
  virtual void BeforeChange() = 0;

 protected:
  ~Reading() = default;

 private:
  friend class Readings;
  Reading* next_ = nullptr;
};

class Readings {
 public:
  Readings() = default;
  Readings(const Readings&) = delete;
  Readings& operator=(const Readings&) = delete;
  ~Readings() { CHECK(first_ == nullptr); }

  bool empty() const { return first_ == nullptr; }
  // There are kMaxReadings: no further one may be added.
  bool full() const {
    size_t count = 0;
    for (const Reading* at = first_; at != nullptr; at = at->next_) ++count;
    return count >= kMaxReadings;
  }
  void Add(Reading& reading) { reading.next_ = std::exchange(first_, &reading); }
  void Remove(Reading& reading) {
    Reading** at = &first_;
    while (*at != nullptr && *at != &reading) at = &(*at)->next_;
    if (*at != nullptr) *at = reading.next_;
  }
  void BeforeChange() {
    while (first_ != nullptr) {
      Reading& reading = *std::exchange(first_, first_->next_);
      reading.BeforeChange();
    }
  }

 private:
  Reading* first_ = nullptr;
};

}  // namespace meridian::session
