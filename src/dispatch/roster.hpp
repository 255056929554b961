// Roster: the instances that there are, who of them gets the next request, and who waits for one.
// Owned by the Dispatcher; one thread: the loop's.
//
// Invariants: an instance has at most max_in_flight requests. Nobody waits while an instance has
// room that may serve them: who frees a place or adds one serves the line first. A request that
// waits leaves the line when its fiber is cancelled. In panic (panic.hpp) what we hold against
// instances is set aside. One that nothing listens on is used only when there is no other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "dispatch/choice.hpp"
#include "dispatch/config.hpp"
#include "dispatch/instance.hpp"
#include "dispatch/limits.hpp"
#include "dispatch/waiting_line.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "site/tier/control.hpp"

namespace meridian::dispatch {

class Roster;

// A request's place at an instance, or none; its end gives the place to who waits for one.
class Seat {
 public:
  Seat() = default;
  Seat(Roster& roster, std::shared_ptr<Instance> instance)
      : roster_(&roster), instance_(std::move(instance)) {}
  Seat(Seat&& other) noexcept = default;
  Seat& operator=(Seat&& other) noexcept;
  ~Seat() { Free(); }

  explicit operator bool() const { return instance_ != nullptr; }
  Instance* operator->() const { return instance_.get(); }
  Instance& operator*() const { return *instance_; }
  std::shared_ptr<const Instance> instance() const { return instance_; }

 private:
  void Free();

  Roster* roster_ = nullptr;
  std::shared_ptr<Instance> instance_;
};

// What a request brings to the choice.
class Wish {
 public:
  // It may go to an instance that is on trial: sending it again would do no harm.
  bool may_try = false;

  // Where it has been, and is not sent again.
  std::span<const Instance* const> tried() const { return std::span(tried_).first(tries_); }
  void AddTried(const Instance* instance) { tried_[tries_++] = instance; }

 private:
  std::array<const Instance*, kMaxRetries + 1> tried_{};
  size_t tries_ = 0;
};

class Roster {
 public:
  // `tier`: whose it is, for the names of its metrics.
  Roster(io::Loop& loop, const Config& config, std::string_view tier, Metrics& metrics,
         Random random);
  Roster(const Roster&) = delete;
  Roster& operator=(const Roster&) = delete;
  ~Roster();

  const std::vector<std::shared_ptr<Instance>>& instances() const { return instances_; }
  // Replaces them, with new ones in it. Those that are gone close the connections they do not use.
  void Replace(std::vector<std::shared_ptr<Instance>> instances);

  // A place at an instance that has room now, else none.
  Seat TakeNow(const Wish& wish);
  // The same, after waiting in line until `deadline` where none has room. Errors: kUnavailable
  // (there is no instance for it), kTooLarge (the line is full), kTimeout, kCancelled.
  io::Task<Result<Seat>> Take(const Wish& wish, TimePoint deadline);
  // Whether there is an instance for it, with room or without.
  bool HasFor(const Wish& wish) { return Fill(wish); }

  // To be called when the agent's word on an instance, or what checks say, may have changed.
  void OnChange();
  // After a request that failed: ejects the instance when it stands out.
  void Judge(Instance& instance);

  // What there is to say of each instance now.
  std::vector<site::InstanceReport> Report() const;

  // Requests at instances that are to finish what they have: the agent waits for them.
  uint64_t leaving_requests() const;
  // Called when that may have changed. May be empty.
  std::function<void()> on_leaving = {};

  // For people: what is unusual now; empty when nothing is.
  const std::string& problem() const { return problem_; }
  // Called when that changes. May be empty.
  std::function<void()> on_problem = {};

 private:
  friend class Seat;
  struct Ticket;

  void Free(Instance& instance);
  bool Fill(const Wish& wish);
  bool IsGood(const Instance& instance, const Wish& wish, TimePoint now) const;
  void LookForPanic();
  std::shared_ptr<Instance> Choose(const Wish& wish);
  void ServeLine();
  void SendLineAway();

  io::Loop& loop_;
  const Config& config_;
  Counter& ejections_;
  Counter& shed_;
  Counter& late_;
  Gauge& queued_;
  Gauge& panic_;
  Random random_;
  std::vector<std::shared_ptr<Instance>> instances_;
  std::vector<Candidate> candidates_;  // of the choice that is being made
  WaitingLine<Ticket> line_;
  bool in_panic_ = false;
  std::string problem_;
};

}  // namespace meridian::dispatch
