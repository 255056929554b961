// Whether an instance should get requests: what the agent says of it, what our own checks of its
// health path say, and what becomes of the requests that it gets. Pure: told events and the time of
// each.
//
// Invariants: an instance that the agent does not call healthy is never in. One refused connection
// takes it out at once (nothing listens: its process died), and so do kCheckMisses failed checks in
// a row; a good check ends that, or the agent when it calls the instance healthy anew. One that was
// ejected for what it did to requests stays out for a while that doubles each time, whatever the
// checks say; then it is on trial: one request at a time, until one is answered or a check is good.
// Whoever comes in, or comes back, starts slowly.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.hpp"
#include "dispatch/recent_count.hpp"

namespace meridian::dispatch {

class InstanceHealth {
 public:
  enum class Standing : uint8_t { kIn, kTrial, kOut };
  enum class Check : uint8_t { kGood, kBad, kRefused };

  static constexpr uint32_t kCheckMisses = 2;
  static constexpr Duration kFirstEjection = std::chrono::seconds{5};
  static constexpr Duration kLongestEjection = std::chrono::seconds{60};
  // Earlier ejections are forgotten after so long without one.
  static constexpr Duration kForgiveAfter = std::chrono::seconds{120};
  static constexpr double kFirstWeight = 0.1;

  Standing standing(TimePoint now) const;
  bool said_healthy() const { return said_healthy_; }
  // Nothing listened when we came last.
  bool refused() const { return refused_; }
  // Our checks of its health path fail.
  bool sick() const { return sick_; }
  // On trial, with a request there already.
  bool trying() const { return trying_; }
  // Its share, against one that is fully in: grows over `slow_start` from kFirstWeight to 1.
  double weight(TimePoint now, Duration slow_start) const;

  // Of the last ten seconds, and without an answer between.
  uint64_t requests(TimePoint now) { return requests_.At(now); }
  uint64_t failures(TimePoint now) { return failures_.At(now); }
  uint32_t unanswered_in_row() const { return unanswered_in_row_; }

  void OnView(bool said_healthy, TimePoint now);
  void OnCheck(Check check, TimePoint now);

  // A request has been sent to it.
  void OnSent(TimePoint now);
  // What became of it: an answer (`well`: not a 5xx), none, or a refused connection.
  void OnAnswered(bool well, TimePoint now);
  void OnUnanswered(TimePoint now);
  void OnRefused() { refused_ = true; }
  // A request is there no more, whatever became of it.
  void OnLeft() { trying_ = false; }

  // It is out from now on for what it did to requests.
  void Eject(TimePoint now);

 private:
  void Return(TimePoint now);

  bool said_healthy_ = false;
  bool sick_ = false;  // by our checks
  bool refused_ = false;
  bool ejected_ = false;
  bool trying_ = false;
  uint32_t check_misses_ = 0;
  uint32_t unanswered_in_row_ = 0;
  uint32_t ejections_ = 0;
  TimePoint ejected_until_{};
  TimePoint in_since_{};
  RecentCount requests_;
  RecentCount failures_;
};

}  // namespace meridian::dispatch
