// LoopRoster: the process's roster as one loop uses it: its connections to the instances, and a
// snapshot of their standings by which it chooses an instance without a lock. Owned by the loop's
// Dispatcher; one thread: the loop's. It must outlive its slots.
//
// A request that finds room at once and is answered well takes no lock, and writes one cache line
// that other loops write, twice: the instance's in_flight.
//
// Invariant: the snapshot is at most kSnapshotLife old, and is replaced when the roster has a newer
// version. A request that was given room at an instance by an old snapshot, while the view said
// that it leaves, gives the room back.
//
// Connections: a request may open one while the process has fewer than max_in_flight of them to the
// instance. Otherwise another loop has an idle one, as requests are not more than max_in_flight:
// all loops are asked, and the first that has idle connections closes them. With one loop there is
// always room. No wake-up is lost: a request that begins to wait is counted in `connecting` before
// it asks; a loop that frees or takes room in `connections` reads `connecting` afterwards, and asks
// all loops again if a request waits. These reads and writes are sequentially consistent.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "dispatch/choice_constraints.hpp"
#include "dispatch/instance.hpp"
#include "dispatch/instance_metrics.hpp"
#include "dispatch/roster.hpp"
#include "dispatch/standings.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/task.hpp"

namespace meridian::dispatch {

class LoopRoster;

// Slot: the right to have one request at an instance, or empty. The request is counted in the
// instance's in_flight already. The destructor gives the right to the next queued request; the
// LoopRoster must still exist.
class Slot {
 public:
  Slot() = default;
  Slot(LoopRoster& roster, std::shared_ptr<Instance> instance, bool on_trial)
      : roster_(&roster), instance_(std::move(instance)), on_trial_(on_trial) {}
  Slot(Slot&& other) noexcept = default;
  Slot& operator=(Slot&& other) noexcept;
  ~Slot() { Free(); }

  explicit operator bool() const { return instance_ != nullptr; }
  Instance* operator->() const { return instance_.get(); }
  Instance& operator*() const { return *instance_; }
  std::shared_ptr<const Instance> instance() const { return instance_; }

 private:
  friend class LoopRoster;
  void Free();

  LoopRoster* roster_ = nullptr;
  std::shared_ptr<Instance> instance_;
  bool on_trial_ = false;
  bool is_user_ = false;  // counted in Instance::users
};

class LoopRoster {
 public:
  // `tier` is part of the names of the metrics, which are the loop's.
  LoopRoster(io::Loop& loop, io::Network& network, Roster& roster, std::string_view tier,
             Metrics& metrics, Random random);
  LoopRoster(const LoopRoster&) = delete;
  LoopRoster& operator=(const LoopRoster&) = delete;
  ~LoopRoster();

  // A slot at an eligible instance that has room now; empty when none has, or others wait for it.
  Slot TakeNow(const ChoiceConstraints& constraints);
  // The same; when no eligible instance has room, waits in the queue until `deadline`. Errors:
  // kUnavailable (no instance is eligible, or none is any more), kTooLarge (the queue is full),
  // kTimeout, kCancelled.
  io::Task<Result<Slot>> Take(const ChoiceConstraints& constraints, TimePoint deadline);

  // Before the slot's request is sent: whether it may use or open a connection at once. If not,
  // AwaitConnection waits until it may, at most kMaxCloseWait. Error: kCancelled.
  bool TakeConnection(Slot& slot);
  io::Task<Result<void>> AwaitConnection(Slot& slot);

  // Counts a request for the retry budget.
  void OnRequest() { member_->requests.Add(); }
  Roster::Retry TakeRetry(const ChoiceConstraints& constraints) {
    return roster_.TakeRetry(constraints, loop_.Now());
  }
  // The instance has answered well.
  void OnAnswered(Instance& instance);
  // A request failed at the instance. True: it is the first since the instance passed a check.
  bool OnFailure(Instance& instance, Roster::Failure failure);

  // Called when instances leave, have reset connections, or other loops wait to connect to them:
  // closes idle connections.
  void OnNotice();

 private:
  friend class Slot;

  void Free(const std::shared_ptr<Instance>& instance, bool on_trial, bool is_user);
  bool TryTakeConnection(Slot& slot);
  void CloseIdle(Instance& instance);
  // Gives back the part of `held` that is not needed.
  void Settle(Instance& instance);
  // Lets the requests go on that wait for connections, of this loop and of others.
  void ServeConnecting(Instance& instance);
  Slot SlotOf(const Grant& grant);
  // Makes the snapshot current if it is old.
  void Refresh();
  void Follow(const InstanceList& list);
  std::shared_ptr<Instance> MakeInstance(const ListedInstance& listed);
  // A slot at one of two instances, drawn from the snapshot; empty when both are full.
  Slot TakeOneOfTwo();
  double Load(size_t good) const;

  io::Loop& loop_;
  io::Network& network_;
  Roster& roster_;
  InstanceMetrics metrics_;
  Random random_;
  const std::shared_ptr<RosterMember> member_;
  std::shared_ptr<const Standings> standings_ = std::make_shared<Standings>();
  std::vector<std::shared_ptr<Instance>> instances_;  // as in standings_->all
  uint64_t version_ = 0;
  TimePoint fresh_until_{};
};

}  // namespace meridian::dispatch
