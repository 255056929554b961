#include "dispatch/loop_roster.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "dispatch/choice_constraints.hpp"
#include "dispatch/instance.hpp"
#include "dispatch/limits.hpp"
#include "dispatch/roster.hpp"
#include "dispatch/shared_instance.hpp"
#include "dispatch/standings.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::dispatch {

Slot& Slot::operator=(Slot&& other) noexcept {
  Free();
  roster_ = other.roster_;
  instance_ = std::move(other.instance_);
  on_trial_ = other.on_trial_;
  is_user_ = std::exchange(other.is_user_, false);
  return *this;
}

void Slot::Free() {
  if (!instance_) return;
  roster_->Free(std::exchange(instance_, nullptr), on_trial_, std::exchange(is_user_, false));
}

LoopRoster::LoopRoster(io::Loop& loop, io::Network& network, Roster& roster, std::string_view tier,
                       Metrics& metrics, Random random)
    : loop_(loop),
      network_(network),
      roster_(roster),
      metrics_(metrics, tier),
      random_(random),
      member_(roster.Join(loop, *this)) {
  OnNotice();
}

LoopRoster::~LoopRoster() {
  for (const auto& instance : instances_) CloseIdle(*instance);
  member_->roster = nullptr;
  roster_.Leave(*member_);
}

void LoopRoster::Refresh() {
  const TimePoint now = loop_.Now();
  if (version_ == roster_.version() && now < fresh_until_) return;
  Roster::Snapshot current = roster_.Current(now);
  version_ = current.version;
  fresh_until_ = current.fresh_until;
  const auto before = std::exchange(standings_, std::move(current.standings));
  if (before->all != standings_->all) Follow(*standings_->all);
}

// Instances that are new get connections and series; those that are gone keep theirs until their
// requests end.
void LoopRoster::Follow(const InstanceList& list) {
  std::vector<std::shared_ptr<Instance>> next;
  for (const ListedInstance& listed : list) {
    auto known = std::ranges::find(instances_, listed.instance, &Instance::shared);
    next.push_back(known != instances_.end() ? *known : MakeInstance(listed));
    Instance& instance = *next.back();
    instance.listed = true;
    if (instance.release == listed.release) continue;
    instance.release = listed.release;
    instance.counted = metrics_.Take(instance.id, instance.release);
  }
  instances_.swap(next);
  for (const auto& instance : next) {
    if (std::ranges::find(instances_, instance) != instances_.end()) continue;
    instance->listed = false;
    CloseIdle(*instance);
  }
}

std::shared_ptr<Instance> LoopRoster::MakeInstance(const ListedInstance& listed) {
  auto instance = std::make_shared<Instance>(loop_, network_, listed.instance,
                                             roster_.AddCounts(*listed.instance), roster_.config());
  instance->release = listed.release;
  instance->counted = metrics_.Take(instance->id, instance->release);
  instance->seen_resets = instance->shared->resets.load(std::memory_order_relaxed);
  return instance;
}

void LoopRoster::OnNotice() {
  Refresh();
  for (const auto& instance : instances_) {
    const uint32_t resets = instance->shared->resets.load(std::memory_order_relaxed);
    const bool reset = std::exchange(instance->seen_resets, resets) != resets;
    if (reset || instance->shared->closing.load()) CloseIdle(*instance);
    Settle(*instance);
    ServeConnecting(*instance);
  }
}

void LoopRoster::CloseIdle(Instance& instance) {
  instance.client.CloseIdle();
  Settle(instance);
}

void LoopRoster::Settle(Instance& instance) {
  const auto open = static_cast<uint32_t>(instance.client.open_connections());
  const uint32_t needed = std::max(open, instance.users);
  if (needed >= instance.held) return;
  instance.shared->connections.fetch_sub(std::exchange(instance.held, needed) - needed);
  // Sequentially consistent: a request that begins to wait counts itself, and then looks for room.
  if (instance.shared->connecting.load() > 0) roster_.NotifyMembers();
}

void LoopRoster::ServeConnecting(Instance& instance) {
  SharedInstance& shared = *instance.shared;
  const uint32_t connecting = shared.connecting.load();
  if (connecting == 0) return;
  const size_t here = instance.connecting.size();
  instance.connecting.WakeAll();
  // Another loop has made room already.
  if (shared.connections.load() + connecting <= roster_.config().max_in_flight) return;
  // The requests that wait here use idle connections.
  if (instance.held > instance.users + here) CloseIdle(instance);
}

bool LoopRoster::TakeConnection(Slot& slot) {
  const uint32_t held = slot->held;
  if (!TryTakeConnection(slot)) return false;
  // It may have taken the room that was made for a request that waits.
  if (slot->held > held && slot->shared->connecting.load() > 0) roster_.NotifyMembers();
  return true;
}

bool LoopRoster::TryTakeConnection(Slot& slot) {
  Instance& instance = *slot;
  if (instance.held == instance.users) {
    if (!CountWithin(instance.shared->connections, roster_.config().max_in_flight)) return false;
    ++instance.held;
  }
  ++instance.users;
  slot.is_user_ = true;
  return true;
}

io::Task<Result<void>> LoopRoster::AwaitConnection(Slot& slot) {
  Instance& instance = *slot;
  const TimePoint deadline = loop_.After(kMaxCloseWait);
  Result<void> woken;
  instance.shared->connecting.fetch_add(1);
  roster_.NotifyMembers();
  while (woken && !TryTakeConnection(slot)) {
    woken = co_await instance.connecting.Wait(deadline);
  }
  const bool others_wait = instance.shared->connecting.fetch_sub(1) > 1;
  if (others_wait) roster_.NotifyMembers();
  if (slot.is_user_) co_return Result<void>{};
  if (woken.error().code == Errc::kCancelled) co_return woken;
  if (TryTakeConnection(slot)) co_return Result<void>{};
  instance.shared->connections.fetch_add(1);
  ++instance.held;
  ++instance.users;
  slot.is_user_ = true;
  co_return Result<void>{};
}

double LoopRoster::Load(size_t good) const {
  const SharedInstance& instance = *instances_[standings_->good[good]]->shared;
  return instance.in_flight.load(std::memory_order_relaxed) / standings_->weights.weight(good);
}

Slot LoopRoster::TakeOneOfTwo() {
  if (standings_->good.empty()) return {};
  auto [first, second] = standings_->weights.Draw(random_);
  if (Load(second) < Load(first)) std::swap(first, second);
  for (const size_t good : {first, second}) {
    const std::shared_ptr<Instance>& instance = instances_[standings_->good[good]];
    if (!Occupy(*instance->shared, roster_.config().max_in_flight)) continue;
    // The first loop sets `closing` and then reads in_flight, so it sees this request, or this
    // request sees that it must not begin.
    if (instance->shared->closing.load()) {
      Free(instance, false, false);
      continue;
    }
    instance->counts->sent.Add();
    return {*this, instance, false};
  }
  return {};
}

Slot LoopRoster::TakeNow(const ChoiceConstraints& constraints) {
  if (constraints.tried().empty() && !roster_.has_waiting()) {
    Refresh();
    if (!standings_->trial_open || !constraints.may_use_trial) {
      if (Slot slot = TakeOneOfTwo()) return slot;
    }
  }
  return SlotOf(roster_.TakeNow(constraints, loop_.Now()));
}

io::Task<Result<Slot>> LoopRoster::Take(const ChoiceConstraints& constraints, TimePoint deadline) {
  const auto request = std::make_shared<WaitingRequest>(member_, constraints);
  Result<Grant> granted = roster_.TakeOrQueue(*request, loop_.Now());
  if (!granted) co_return Fail(std::move(granted.error()));
  if (*granted) co_return SlotOf(*granted);
  const Result<void> woken = co_await request->woken.Wait(deadline);
  const bool cancelled = !woken && woken.error().code == Errc::kCancelled;
  roster_.EndWait(*request, !woken && !cancelled, loop_.Now());
  // Granted and cancelled in the same loop iteration: the slot's destructor serves the queue.
  Slot slot = SlotOf(request->granted);
  if (cancelled) co_return Fail(Errc::kCancelled, "{}", woken.error().message);
  if (slot) co_return slot;
  if (request->refused) co_return Fail(Errc::kUnavailable, "no instance is healthy any more");
  co_return Fail(Errc::kTimeout, "no instance had room in time");
}

Slot LoopRoster::SlotOf(const Grant& grant) {
  if (!grant) return {};
  Refresh();
  auto known = std::ranges::find(instances_, grant.instance, &Instance::shared);
  // It has just left the view: the request ends at it.
  std::shared_ptr<Instance> instance =
      known != instances_.end() ? *known : MakeInstance({.instance = grant.instance});
  instance->counts->sent.Add();
  return {*this, std::move(instance), grant.on_trial};
}

void LoopRoster::Free(const std::shared_ptr<Instance>& instance, bool on_trial, bool is_user) {
  SharedInstance& shared = *instance->shared;
  if (is_user) --instance->users;
  // Idle connections are closed for an application that waits for that before it exits, and when no
  // other request of this loop can use them.
  if (shared.closing.load(std::memory_order_relaxed) || !instance->listed) {
    instance->client.CloseIdle();
  }
  Settle(*instance);
  ServeConnecting(*instance);
  const uint32_t before = shared.in_flight.fetch_sub(1);
  CHECK(before > 0);
  if (on_trial || roster_.has_waiting()) {
    roster_.OnFreed(*member_, shared, on_trial, loop_.Now());
  }
  if (!shared.closing.load()) return;
  CloseIdle(*instance);
  roster_.changed().Notify();
}

void LoopRoster::OnAnswered(Instance& instance) {
  instance.counts->answered.Add();
  if (!instance.shared->ejected.load(std::memory_order_relaxed)) return;
  roster_.OnAnswered(*member_, *instance.shared, loop_.Now());
}

bool LoopRoster::OnFailure(Instance& instance, Roster::Failure failure) {
  // A process that dies closes its connections one after the other: the idle ones may be next.
  if (failure == Roster::Failure::kReset) CloseIdle(instance);
  return roster_.OnFailure(*member_, *instance.shared, failure, loop_.Now());
}

}  // namespace meridian::dispatch
