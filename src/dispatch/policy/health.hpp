// InstanceHealth: decides whether an instance should get requests, from the agent's view, from our
// own checks of its health path, and from the outcomes of its requests. Pure: it gets events with
// their times.
//
// Invariants: an instance that the agent does not call healthy is never in. A refused connection
// takes it out at once (no process listens), and so do kCheckMisses failed checks in a row; a
// passed check brings it back, and so does the agent when it calls the instance healthy anew. An
// ejected instance stays out for a time that doubles with each ejection, whatever the checks say.
// Then it is on trial: it gets one request at a time, until it answers one or passes a check. An
// instance that is new or comes back is in slow start.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.hpp"
#include "dispatch/policy/recent_count.hpp"

namespace meridian::dispatch {

class InstanceHealth {
 public:
  enum class Standing : uint8_t { kIn, kTrial, kOut };
  enum class Check : uint8_t { kGood, kBad, kRefused };

  static constexpr uint32_t kCheckMisses = 2;
  static constexpr Duration kFirstEjection = std::chrono::seconds{5};
  static constexpr Duration kMaxEjection = std::chrono::seconds{60};
  // Earlier ejections are forgotten after this time without a further one.
  static constexpr Duration kForgiveAfter = std::chrono::seconds{120};
  static constexpr double kFirstWeight = 0.1;

  Standing standing(TimePoint now) const;
  bool said_healthy() const { return said_healthy_; }
  // The last connection was refused.
  bool refused() const { return refused_; }
  // Our checks of its health path fail.
  bool sick() const { return sick_; }
  // Ejected and not yet returned: out, or on trial.
  bool ejected() const { return ejected_; }
  // On trial, with a request there already.
  bool trying() const { return trying_; }
  // Its share of requests relative to a full one: grows over `slow_start` from kFirstWeight to 1.
  double weight(TimePoint now, Duration slow_start) const;

  // Counts of the last ten seconds; and unanswered requests since the last answered one.
  uint64_t requests(TimePoint now) { return requests_.At(now); }
  uint64_t failures(TimePoint now) { return failures_.At(now); }
  uint32_t unanswered_in_row() const { return unanswered_in_row_; }

  void OnView(bool said_healthy, TimePoint now);
  void OnCheck(Check check, TimePoint now);

  // Requests have been sent to it.
  void OnSent(uint64_t requests, TimePoint now) { requests_.Add(now, requests); }
  // Requests that were sent to it after the last unanswered one have been answered.
  void OnAnsweredMeanwhile() { unanswered_in_row_ = 0; }
  // The request of its trial begins; and ends, whatever its outcome.
  void OnTrial() { trying_ = true; }
  void OnTrialEnd() { trying_ = false; }
  // The outcome of a request: an answer (`well`: not a 5xx), none, or a refused connection.
  void OnAnswered(bool well, TimePoint now);
  void OnUnanswered(TimePoint now);
  void OnRefused() { refused_ = true; }

  // Ejects it because of failed requests.
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
