// Roster: all instances, their health, and the queue of requests that wait for room: one for the
// process, shared by its loops. Each loop uses it through a LoopRoster (loop_roster.hpp), which
// chooses an instance for most requests by the loop's own snapshot of the Standings, without the
// roster's lock. Under the lock are the rest: requests that are tried again, test an instance on
// trial, find no room at the two instances that were drawn, or wait; failures; and changes of the
// view.
//
// An instance is eligible for a request if its health (health.hpp) and the request's constraints
// allow it, even when it has no room. Invariants: an instance has at most max_in_flight requests.
// No request waits while an eligible instance has room: room that becomes free goes to the queue
// first. Requests with the same constraints are served in the order in which they came. In panic
// (panic.hpp) ejections and failed checks are ignored. An instance whose port refuses connections
// is eligible only when no other is.
//
// No wake-up is lost: a request that begins to wait sets has_waiting_ and then looks for room once
// more; a loop that frees room decrements in_flight and then reads has_waiting_. All four are
// sequentially consistent, so that one of the two sees what the other has written.
//
// Any thread, except where a function says "first loop". Times of different loops may differ a
// little; the latest counts. It must outlive its LoopRosters.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "dispatch/choice_constraints.hpp"
#include "dispatch/config.hpp"
#include "dispatch/policy/choice.hpp"
#include "dispatch/policy/health.hpp"
#include "dispatch/policy/request_queue.hpp"
#include "dispatch/policy/retry_budget.hpp"
#include "dispatch/shared_instance.hpp"
#include "dispatch/standings.hpp"
#include "io/loop.hpp"
#include "io/threads/loop_signal.hpp"
#include "io/wait_queue.hpp"
#include "site/tier/control.hpp"
#include "site/view/view.hpp"

namespace meridian::dispatch {

class LoopRoster;

// A loop that uses the roster. Shared with the work that is posted to the loop, which may run when
// the LoopRoster has ended.
struct RosterMember {
  RosterMember(io::Loop& of, LoopRoster& by) : loop(of), roster(&by) {}

  io::Loop& loop;
  LoopRoster* roster;                  // the loop's thread alone; null when it has ended
  std::atomic<bool> notified = false;  // LoopRoster::OnNotice has been posted
  alignas(64) Counter requests;        // that began, without retries; written by the loop
  uint64_t collected = 0;              // the part of `requests` that the budget has; under the lock
};

// Room for one request at an instance, counted in its in_flight; or none.
struct Grant {
  std::shared_ptr<SharedInstance> instance = nullptr;
  bool on_trial = false;  // it is the request of the instance's trial

  explicit operator bool() const { return instance != nullptr; }
};

// A request that waits, or is about to.
struct WaitingRequest : std::enable_shared_from_this<WaitingRequest> {
  WaitingRequest(std::shared_ptr<RosterMember> of, const ChoiceConstraints& by)
      : member(std::move(of)), constraints(by) {}

  const std::shared_ptr<RosterMember> member;
  const ChoiceConstraints constraints;
  // Under the roster's lock.
  Grant granted = {};
  bool refused = false;
  // The member's loop: woken when the request is granted or refused.
  io::WaitQueue woken = {};
};

class Roster {
 public:
  enum class Failure : uint8_t {
    kRefused,      // it refused the connection
    kReset,        // it ended the connection without an answer
    kUnanswered,   // it did not answer otherwise
    kErrorStatus,  // it answered with 5xx
  };
  enum class Retry : uint8_t { kNoInstance, kOverBudget, kAllowed };

  // `first`: the loop that sets the instances. `tier` is part of the names of the metrics, which
  // must belong to the first loop's thread; here they are counted under the lock.
  Roster(io::Loop& first, const Config& config, std::string_view tier, Metrics& metrics,
         Random random);
  Roster(const Roster&) = delete;
  Roster& operator=(const Roster&) = delete;
  ~Roster();

  const Config& config() const { return config_; }

  // First loop. Replaces the set of instances; before the first call no request is served. Known
  // instances keep their state. An instance that leaves, or is no longer in the set, gets no
  // further request, and every loop closes its idle connections to it.
  void SetInstances(std::span<const site::InstanceView> instances);
  std::shared_ptr<const InstanceList> instances() const;
  // First loop: the state of each instance now.
  std::vector<site::InstanceReport> Report();
  // Requests at draining instances, of all loops; the agent waits for them.
  uint64_t leaving_requests() const;
  // For operators: what is wrong now; empty when nothing is.
  std::string problem() const;
  // First loop: notified when leaving_requests or problem may have changed.
  io::LoopSignal& changed() { return changed_; }

  // Whether the instance is no longer in the set.
  bool IsRemoved(const SharedInstance& instance) const;
  // The outcome of a health check, at `now`.
  void OnCheck(SharedInstance& instance, InstanceHealth::Check check, TimePoint now);

  // Instances and waiting requests examined under the lock so far, for tests.
  uint64_t examined() const {
    const std::lock_guard lock(mutex_);
    return examined_;
  }

 private:
  friend class LoopRoster;
  class Section;

  // For LoopRoster. Without the lock:
  uint64_t version() const { return version_.load(std::memory_order_acquire); }
  bool has_waiting() const { return has_waiting_.load(); }
  // With the lock. `member`: the caller's loop; `now`: its time.
  std::shared_ptr<RosterMember> Join(io::Loop& loop, LoopRoster& by);
  void Leave(const RosterMember& member);
  // Has LoopRoster::OnNotice called on every loop.
  void NotifyMembers();
  std::shared_ptr<LoopCounts> AddCounts(SharedInstance& instance);
  struct Snapshot {
    std::shared_ptr<const Standings> standings;
    uint64_t version = 0;
    TimePoint fresh_until = {};
  };
  Snapshot Current(TimePoint now);
  // Room at an eligible instance; none if there is no room, or others wait for it.
  Grant TakeNow(const ChoiceConstraints& constraints, TimePoint now);
  // The same, or queues the request (no room and no error). Errors: kUnavailable (no instance is
  // eligible), kTooLarge (the queue is full).
  Result<Grant> TakeOrQueue(WaitingRequest& request, TimePoint now);
  // Ends the wait of a request that was queued: removes it from the queue if it was neither
  // granted nor refused.
  void EndWait(WaitingRequest& request, bool late, TimePoint now);
  // After room became free at the instance: serves the queue.
  void OnFreed(RosterMember& member, SharedInstance& instance, bool on_trial, TimePoint now);
  // Records a failed request. True: it is the first since the instance passed a check.
  bool OnFailure(RosterMember& member, SharedInstance& instance, Failure failure, TimePoint now);
  // An instance that was ejected has answered well.
  void OnAnswered(RosterMember& member, SharedInstance& instance, TimePoint now);
  // Whether some instance is eligible, and the retry is within the budget, which counts it.
  Retry TakeRetry(const ChoiceConstraints& constraints, TimePoint now);

  // All of the following: under the lock.
  std::shared_ptr<SharedInstance> FindOrAdd(const site::InstanceView& view);
  void Collect(SharedInstance& instance);
  void CollectAll();
  bool IsStale() const;
  // Publishes the standings if they have changed; panic begins or ends.
  void UpdateStandings();
  Standings MakeStandings();
  void SetPanic(const Standings& standings);
  // To be called when the health of an instance may have changed.
  void OnChange();
  // The same after events of one instance that rarely change its standing.
  void OnHealth(SharedInstance& instance);
  void EjectIfOutlier(SharedInstance& instance);

  bool HasRoom(const SharedInstance& instance) const {
    return instance.in_flight.load() < config_.max_in_flight;
  }
  bool IsGood(const SharedInstance& instance, const ChoiceConstraints& constraints) const;
  // Whether a good instance satisfies the constraints, with room or without. If none does, those
  // that refuse connections may be used.
  bool HasGood(const ChoiceConstraints& constraints);
  bool MayUse(const SharedInstance& instance, const ChoiceConstraints& constraints,
              bool has_good) const;
  // Whether some request may use the instance.
  bool IsUsable(const SharedInstance& instance) const;
  bool MayServe(const ChoiceConstraints& constraints);
  // A request of the same or wider constraints waits already, so this one must wait too.
  bool MustWait(const ChoiceConstraints& constraints) const;
  Grant TakeAt(const std::shared_ptr<SharedInstance>& instance);
  Grant Choose(const ChoiceConstraints& constraints);
  Grant ChooseFrom(const std::shared_ptr<SharedInstance>& only,
                   const ChoiceConstraints& constraints);
  // Gives room to the waiting requests, in their order: the room of `only`, or of all instances if
  // it is null.
  void ServeQueue(const std::shared_ptr<SharedInstance>& only);
  // Refuses the requests whose constraints no instance satisfies any more.
  void RefuseQueue();
  bool Enqueue(WaitingRequest& request);
  // After the request has left the queue, or is about to.
  void CountOut(const WaitingRequest& request);
  void SetWaiting();

  const Config config_;
  Counter& ejections_;
  Counter& shed_;
  Counter& late_;
  Gauge& queued_;
  Gauge& panic_;
  io::LoopSignal changed_;
  io::Loop& first_;

  // Read by every loop for each request; written under the lock.
  alignas(64) std::atomic<uint64_t> version_ = 0;  // of standings_
  std::atomic<bool> has_waiting_ = false;          // queue_ is not empty

  alignas(64) mutable std::mutex mutex_;  // guards all below
  TimePoint now_{};                       // the latest time of a loop
  Random random_;
  std::vector<std::shared_ptr<RosterMember>> members_;
  // No longer in the view, with requests: they keep their count if they come back.
  std::vector<std::shared_ptr<SharedInstance>> removed_;
  std::shared_ptr<const InstanceList> list_ = std::make_shared<InstanceList>();
  std::shared_ptr<const Standings> standings_ = std::make_shared<Standings>();
  TimePoint updated_at_{};
  TimePoint collected_at_{};
  std::string problem_;
  RetryBudget budget_;
  std::vector<Candidate> candidates_;  // of the choice that is being made
  RequestQueue<WaitingRequest> queue_;
  // Of the queue: requests that were sent nowhere yet, by may_use_trial.
  std::array<size_t, 2> new_waiting_{};
  // The standings have changed since the whole queue was served: any instance may have become
  // usable.
  bool queue_is_behind_ = false;
  uint64_t examined_ = 0;
  // To be done when the lock is released.
  std::vector<std::shared_ptr<WaitingRequest>> to_wake_;
  bool notify_members_ = false;
  bool notify_changed_ = false;
};

}  // namespace meridian::dispatch
