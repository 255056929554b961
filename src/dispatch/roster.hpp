// Roster: all instances, the choice of an instance for the next request, and the queue of requests
// that wait for room. Owned by the Dispatcher; one thread: the loop's. It must outlive its slots.
//
// An instance is eligible for a request if its health (health.hpp) and the request's constraints
// allow it, even when it has no room. Invariants: an instance has at most max_in_flight requests.
// No request waits while an eligible instance has room: a slot that becomes free goes to the queue
// first. A waiting request leaves the queue when its fiber is cancelled. In panic (panic.hpp)
// ejections and failed checks are ignored. An instance whose port refuses connections is eligible
// only when no other is.
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
#include "dispatch/request_queue.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "site/tier/control.hpp"

namespace meridian::dispatch {

class Roster;

// Slot: the right to have one request at an instance, or empty. The request is counted in the
// instance's in_flight already. The destructor gives the right to the next queued request; the
// roster must still exist.
class Slot {
 public:
  Slot() = default;
  Slot(Roster& roster, std::shared_ptr<Instance> instance)
      : roster_(&roster), instance_(std::move(instance)) {}
  Slot(Slot&& other) noexcept = default;
  Slot& operator=(Slot&& other) noexcept;
  ~Slot() { Free(); }

  explicit operator bool() const { return instance_ != nullptr; }
  Instance* operator->() const { return instance_.get(); }
  Instance& operator*() const { return *instance_; }
  std::shared_ptr<const Instance> instance() const { return instance_; }

 private:
  void Free();

  Roster* roster_ = nullptr;
  std::shared_ptr<Instance> instance_;
};

// The instances that may be chosen for a request.
class ChoiceConstraints {
 public:
  // The request may go to an instance on trial (half-open: after an ejection it is tested with one
  // request at a time). For idempotent requests only: if the test fails, they are sent elsewhere.
  bool may_use_trial = false;

  // The instances at which the request was tried; none of them is chosen again.
  std::span<const Instance* const> tried() const { return std::span(tried_).first(tries_); }
  // At most kMaxRetries + 1 times.
  void AddTried(const Instance* instance) { tried_[tries_++] = instance; }

 private:
  std::array<const Instance*, kMaxRetries + 1> tried_{};
  size_t tries_ = 0;
};

class Roster {
 public:
  // `tier` is part of the names of the metrics.
  Roster(io::Loop& loop, const Config& config, std::string_view tier, Metrics& metrics,
         Random random);
  Roster(const Roster&) = delete;
  Roster& operator=(const Roster&) = delete;
  ~Roster();

  const std::vector<std::shared_ptr<Instance>>& instances() const { return instances_; }
  // Replaces all instances. An instance that is no longer there closes its idle connections.
  void Replace(std::vector<std::shared_ptr<Instance>> instances);

  // A slot at an eligible instance that has room now; empty when none has.
  Slot TakeNow(const ChoiceConstraints& constraints);
  // The same; when no eligible instance has room, waits in the queue until `deadline`. Errors:
  // kUnavailable (no instance is eligible, or none is any more), kTooLarge (the queue is full),
  // kTimeout, kCancelled.
  io::Task<Result<Slot>> Take(const ChoiceConstraints& constraints, TimePoint deadline);
  // True if some instance is eligible, even at max_in_flight.
  bool HasEligible(const ChoiceConstraints& constraints);

  // To be called when the health of an instance may have changed, by the view or by checks.
  void OnChange();
  // To be called after a failed request: ejects the instance if it is an outlier.
  void EjectIfOutlier(Instance& instance);

  // The state of each instance now.
  std::vector<site::InstanceReport> Report() const;

  // Requests at draining instances; the agent waits for them.
  uint64_t leaving_requests() const;
  // Called when leaving_requests may have changed. May be empty.
  std::function<void()> on_leaving = {};

  // Instances and queued requests examined so far: the cost of the choices, for tests.
  uint64_t examined() const { return examined_; }

  // For operators: what is wrong now; empty when nothing is.
  const std::string& problem() const { return problem_; }
  // Called when problem() changes. May be empty.
  std::function<void()> on_problem = {};

 private:
  friend class Slot;
  struct QueuedRequest;
  // How many instances are called healthy and listen; are in; are on trial.
  struct Standings {
    size_t running = 0;
    size_t in = 0;
    size_t on_trial = 0;
    bool operator==(const Standings&) const = default;
  };

  void Free(const std::shared_ptr<Instance>& instance);
  bool HasRoom(const Instance& instance) const;
  void Occupy(Instance& instance);
  // Updates panic, and notices changes of standing by time: an ejection ended.
  void UpdateStandings();
  void SetPanic(bool panic);
  bool IsGood(const Instance& instance, const ChoiceConstraints& constraints, TimePoint now) const;
  // Whether a good instance satisfies the constraints, with room or without. If none does, those
  // that refuse connections may be used.
  bool HasGood(const ChoiceConstraints& constraints, TimePoint now);
  bool MayUse(const Instance& instance, const ChoiceConstraints& constraints, bool has_good,
              TimePoint now) const;
  // Whether some request may use the instance.
  bool IsUsable(const Instance& instance) const;
  bool MayServe(const ChoiceConstraints& constraints);
  void FindCandidates(const ChoiceConstraints& constraints);
  std::shared_ptr<Instance> Choose(const ChoiceConstraints& constraints);
  // Gives room to the waiting requests, in their order: the room of `only`, or of all instances if
  // it is null.
  void ServeQueue(const std::shared_ptr<Instance>& only);
  // The instance of a waiting request; null: it must wait.
  std::shared_ptr<Instance> ChooseFrom(const std::shared_ptr<Instance>& only,
                                       const ChoiceConstraints& constraints);
  void RefuseQueue();

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
  RequestQueue<QueuedRequest> queue_;
  size_t with_room_ = 0;  // of instances_: have fewer requests than max_in_flight
  Standings standings_;
  // The standings have changed since the whole queue was served: any instance may have become
  // usable.
  bool queue_is_behind_ = false;
  uint64_t examined_ = 0;
  bool in_panic_ = false;
  std::string problem_;
};

}  // namespace meridian::dispatch
