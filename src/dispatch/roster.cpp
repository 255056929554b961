#include "dispatch/roster.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "dispatch/choice_constraints.hpp"
#include "dispatch/config.hpp"
#include "dispatch/limits.hpp"
#include "dispatch/loop_roster.hpp"
#include "dispatch/policy/choice.hpp"
#include "dispatch/policy/health.hpp"
#include "dispatch/policy/outliers.hpp"
#include "dispatch/policy/panic.hpp"
#include "dispatch/roster_section.hpp"
#include "dispatch/shared_instance.hpp"
#include "dispatch/standings.hpp"
#include "io/loop.hpp"
#include "site/tier/control.hpp"
#include "site/view/view.hpp"

namespace meridian::dispatch {

using Standing = InstanceHealth::Standing;

namespace {

site::InstanceUse UseOf(const InstanceHealth& health, TimePoint now, Duration slow_start,
                        bool in_panic) {
  using enum site::InstanceUse;
  if (!health.said_healthy()) return kUnknown;
  if (health.refused()) return kRefusing;
  if (in_panic) return kUsed;
  if (health.sick()) return kFailing;
  switch (health.standing(now)) {
    case Standing::kOut:
      return kEjected;
    case Standing::kTrial:
      return kOnTrial;
    case Standing::kIn:
      return health.weight(now, slow_start) < 1 ? kSlowStart : kUsed;
  }
}

bool Lists(const InstanceList& list, const std::shared_ptr<SharedInstance>& instance) {
  return std::ranges::find(list, instance, &ListedInstance::instance) != list.end();
}

}  // namespace

void Roster::Section::Notify(const std::shared_ptr<RosterMember>& member) {
  if (member->notified.exchange(true)) return;
  member->loop.Post([member] {
    member->notified.store(false);
    if (member->roster != nullptr) member->roster->OnNotice();
  });
}

Roster::Roster(io::Loop& first, const Config& config, std::string_view tier, Metrics& metrics,
               Random random)
    : config_(config),
      ejections_(metrics.AddCounter(fmt::format("meridian_{}_ejections_total", tier),
                                    "Instances ejected because their requests failed.")),
      shed_(metrics.AddCounter(fmt::format("meridian_{}_shed_total", tier),
                               "Requests refused, by reason.", {{"reason", "queue_full"}})),
      late_(metrics.AddCounter(fmt::format("meridian_{}_shed_total", tier),
                               "Requests refused, by reason.", {{"reason", "queue_timeout"}})),
      queued_(metrics.AddGauge(fmt::format("meridian_{}_queued", tier),
                               "Requests that wait for an instance with room.")),
      panic_(metrics.AddGauge(fmt::format("meridian_{}_panic", tier),
                              "1 while the health of instances is ignored (panic).")),
      changed_(first),
      first_(first),
      random_(random),
      budget_(config.retry_budget),
      queue_(config.max_queued) {}

Roster::~Roster() { CHECK(members_.empty()); }

std::shared_ptr<RosterMember> Roster::Join(io::Loop& loop, LoopRoster& by) {
  const Section section(*this, loop.Now());
  return members_.emplace_back(std::make_shared<RosterMember>(loop, by));
}

void Roster::Leave(const RosterMember& member) {
  const Section section(*this, member.loop.Now());
  CollectAll();
  std::erase_if(members_, [&](const auto& each) { return each.get() == &member; });
}

void Roster::NotifyMembers() {
  const Section section(*this, {});
  notify_members_ = true;
}

std::shared_ptr<LoopCounts> Roster::AddCounts(SharedInstance& instance) {
  auto counts = std::make_shared<LoopCounts>();
  const std::lock_guard lock(mutex_);
  instance.counts_of_loops.push_back({.counts = counts});
  return counts;
}

std::shared_ptr<SharedInstance> Roster::FindOrAdd(const site::InstanceView& view) {
  const auto is_it = [&](const std::shared_ptr<SharedInstance>& each) {
    return each->id == view.id && each->address == view.address;
  };
  auto known = std::ranges::find_if(*list_, is_it, &ListedInstance::instance);
  if (known != list_->end()) return known->instance;
  auto returned = std::ranges::find_if(removed_, is_it);
  if (returned != removed_.end()) return *returned;
  return std::make_shared<SharedInstance>(view.id, view.address);
}

void Roster::SetInstances(std::span<const site::InstanceView> instances) {
  const Section section(*this, first_.Now());
  auto next = std::make_shared<InstanceList>();
  for (const site::InstanceView& view : instances) {
    std::shared_ptr<SharedInstance> instance = FindOrAdd(view);
    instance->health.OnView(view.state == site::InstanceState::kHealthy, now_);
    instance->leaving = view.state == site::InstanceState::kDraining;
    instance->removed = false;
    instance->closing.store(instance->leaving);
    next->push_back({.instance = std::move(instance), .release = view.release});
  }
  for (const auto& [instance, release] : *list_) {
    if (Lists(*next, instance)) continue;
    instance->health.OnView(false, now_);
    instance->leaving = false;
    instance->removed = true;
    instance->closing.store(true);
    removed_.push_back(instance);
  }
  std::erase_if(removed_, [](const auto& each) { return !each->removed || each->in_flight == 0; });
  list_ = std::move(next);
  OnChange();
  notify_members_ = notify_changed_ = true;
}

std::shared_ptr<const InstanceList> Roster::instances() const {
  const std::lock_guard lock(mutex_);
  return list_;
}

std::vector<site::InstanceReport> Roster::Report() {
  const Section section(*this, first_.Now());
  CollectAll();
  std::vector<site::InstanceReport> reports;
  for (const auto& [instance, release] : *list_) {
    InstanceHealth& health = instance->health;
    reports.push_back({.id = instance->id,
                       .use = UseOf(health, now_, config_.slow_start, standings_->in_panic),
                       .in_flight = instance->in_flight,
                       .requests = static_cast<uint32_t>(health.requests(now_)),
                       .failures = static_cast<uint32_t>(health.failures(now_))});
  }
  return reports;
}

uint64_t Roster::leaving_requests() const {
  const std::lock_guard lock(mutex_);
  uint64_t requests = 0;
  for (const auto& [instance, release] : *list_) {
    if (instance->leaving) requests += instance->in_flight;
  }
  return requests;
}

std::string Roster::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

bool Roster::IsRemoved(const SharedInstance& instance) const {
  const std::lock_guard lock(mutex_);
  return instance.removed;
}

// Adds what the loops have counted since the last call.
void Roster::Collect(SharedInstance& instance) {
  uint64_t sent = 0;
  uint64_t answered = 0;
  std::erase_if(instance.counts_of_loops, [&](SharedInstance::Collected& of) {
    const bool loop_is_done = of.counts.use_count() == 1;
    sent += of.counts->sent.value() - of.sent;
    answered += of.counts->answered.value() - of.answered;
    of.sent = of.counts->sent.value();
    of.answered = of.counts->answered.value();
    return loop_is_done;
  });
  if (sent > 0) instance.health.OnSent(sent, now_);
  if (answered > 0) instance.health.OnAnsweredMeanwhile();
}

void Roster::CollectAll() {
  collected_at_ = now_;
  for (const auto& [instance, release] : *list_) Collect(*instance);
  for (const auto& member : members_) {
    const uint64_t requests = member->requests.value();
    if (requests == member->collected) continue;
    budget_.OnRequests(requests - member->collected, now_);
    member->collected = requests;
  }
}

bool Roster::IsStale() const { return now_ - updated_at_ >= kSnapshotLife; }

Roster::Snapshot Roster::Current(TimePoint now) {
  const Section section(*this, now);
  if (IsStale()) UpdateStandings();
  if (queue_is_behind_) ServeQueue(nullptr);
  return {.standings = standings_,
          .version = version_.load(std::memory_order_relaxed),
          .fresh_until = updated_at_ + kSnapshotLife};
}

Standings Roster::MakeStandings() {
  Standings next{.all = list_};
  bool trial_open = false;
  for (const auto& [instance, release] : *list_) {
    const InstanceHealth& health = instance->health;
    if (health.said_healthy() && !health.refused()) ++next.running;
    const Standing standing = health.standing(now_);
    if (standing == Standing::kIn) ++next.in;
    if (standing == Standing::kTrial) ++next.on_trial;
    trial_open = trial_open || (standing == Standing::kTrial && !health.trying());
  }
  examined_ += list_->size();
  next.in_panic = IsPanic(next.running, next.in);
  next.trial_open = trial_open && !next.in_panic;
  std::vector<double> weights;
  for (uint32_t i = 0; i < list_->size(); ++i) {
    const InstanceHealth& health = (*list_)[i].instance->health;
    const bool good = next.in_panic ? health.said_healthy() && !health.refused()
                                    : health.standing(now_) == Standing::kIn;
    if (!good) continue;
    next.good.push_back(i);
    weights.push_back(next.in_panic ? 1 : health.weight(now_, config_.slow_start));
  }
  next.weights = WeightedPairs(std::move(weights));
  return next;
}

void Roster::UpdateStandings() {
  updated_at_ = now_;
  if (now_ - collected_at_ >= kCollectInterval) CollectAll();
  Standings next = MakeStandings();
  if (next == *standings_) return;
  if (!next.SameUse(*standings_)) queue_is_behind_ = true;
  if (next.in_panic != standings_->in_panic) SetPanic(next);
  standings_ = std::make_shared<const Standings>(std::move(next));
  version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

void Roster::SetPanic(const Standings& standings) {
  panic_.Set(standings.in_panic ? 1 : 0);
  problem_ = standings.in_panic
                 ? fmt::format("panic: {} of {} running instances look well; all are used",
                               standings.in, standings.running)
                 : "";
  if (standings.in_panic) {
    LOG_WARNING("panic: too few instances look well, all that run are used", {"well", standings.in},
                {"running", standings.running});
  } else {
    LOG_INFO("panic is over", {"well", standings.in}, {"running", standings.running});
  }
  notify_changed_ = true;
}

void Roster::OnChange() {
  UpdateStandings();
  ServeQueue(nullptr);
  RefuseQueue();
}

void Roster::OnHealth(SharedInstance& instance) {
  if (instance.ejected.load(std::memory_order_relaxed) != instance.health.ejected()) {
    instance.ejected.store(instance.health.ejected(), std::memory_order_relaxed);
  }
  UpdateStandings();
  if (queue_is_behind_) OnChange();
}

void Roster::OnCheck(SharedInstance& instance, InstanceHealth::Check check, TimePoint now) {
  bool was_in = false;
  bool is_in = false;
  {
    const Section section(*this, now);
    was_in = instance.health.standing(now_) == Standing::kIn;
    Collect(instance);
    instance.health.OnCheck(check, now_);
    if (check == InstanceHealth::Check::kGood) instance.logged_failing = false;
    is_in = instance.health.standing(now_) == Standing::kIn;
    OnHealth(instance);
    if (!queue_.empty()) OnChange();
  }
  if (was_in != is_in) LOG_INFO("instance", {"instance", instance.id}, {"usable", is_in});
}

bool Roster::OnFailure(RosterMember& member, SharedInstance& instance, Failure failure,
                       TimePoint now) {
  const Section section(*this, now, &member);
  Collect(instance);
  switch (failure) {
    case Failure::kRefused:
      instance.health.OnRefused();
      break;
    case Failure::kReset:
      // The connections of all loops: the process that has reset this one has probably died.
      instance.resets.store(instance.resets.load(std::memory_order_relaxed) + 1,
                            std::memory_order_relaxed);
      notify_members_ = true;
      [[fallthrough]];
    case Failure::kUnanswered:
      instance.health.OnUnanswered(now_);
      break;
    case Failure::kErrorStatus:
      instance.health.OnAnswered(false, now_);
      break;
  }
  EjectIfOutlier(instance);
  OnHealth(instance);
  return failure != Failure::kErrorStatus && !std::exchange(instance.logged_failing, true);
}

void Roster::OnAnswered(RosterMember& member, SharedInstance& instance, TimePoint now) {
  const Section section(*this, now, &member);
  Collect(instance);
  instance.health.OnAnswered(true, now_);
  OnHealth(instance);
}

void Roster::EjectIfOutlier(SharedInstance& instance) {
  const auto results_of = [this](SharedInstance& each) {
    return RecentResults{.requests = each.health.requests(now_),
                         .failures = each.health.failures(now_),
                         .unanswered_in_row = each.health.unanswered_in_row(),
                         .out = each.health.standing(now_) != Standing::kIn};
  };
  if (!LooksLikeOutlier(results_of(instance))) return;
  CollectAll();
  std::vector<RecentResults> results;
  size_t which = list_->size();
  for (const auto& [each, release] : *list_) {
    if (each.get() == &instance) which = results.size();
    if (each->health.said_healthy() || each.get() == &instance) {
      results.push_back(results_of(*each));
    }
  }
  if (which >= results.size() || !ShouldEject(results, which)) return;
  instance.health.Eject(now_);
  ejections_.Add();
  LOG_WARNING("an instance is ejected", {"instance", instance.id},
              {"failed", results[which].failures}, {"requests", results[which].requests});
}

Roster::Retry Roster::TakeRetry(const ChoiceConstraints& constraints, TimePoint now) {
  const Section section(*this, now);
  if (IsStale()) UpdateStandings();
  if (!MayServe(constraints)) return Retry::kNoInstance;
  CollectAll();
  return budget_.Take(now_) ? Retry::kAllowed : Retry::kOverBudget;
}

bool Roster::IsGood(const SharedInstance& instance, const ChoiceConstraints& constraints) const {
  const InstanceHealth& health = instance.health;
  if (standings_->in_panic) return health.said_healthy() && !health.refused();
  switch (health.standing(now_)) {
    case Standing::kIn:
      return true;
    case Standing::kTrial:
      return constraints.may_use_trial && !health.trying();
    case Standing::kOut:
      return false;
  }
}

bool Roster::HasGood(const ChoiceConstraints& constraints) {
  return std::ranges::any_of(*list_, [&](const ListedInstance& each) {
    ++examined_;
    return MayUse(*each.instance, constraints, true);
  });
}

bool Roster::MayUse(const SharedInstance& instance, const ChoiceConstraints& constraints,
                    bool has_good) const {
  if (std::ranges::count(constraints.tried(), &instance) > 0) return false;
  if (has_good) return IsGood(instance, constraints);
  return instance.health.said_healthy() && instance.health.refused();
}

bool Roster::IsUsable(const SharedInstance& instance) const {
  ChoiceConstraints weakest;
  weakest.may_use_trial = true;
  return MayUse(instance, weakest, true) || MayUse(instance, weakest, false);
}

bool Roster::MayServe(const ChoiceConstraints& constraints) {
  return HasGood(constraints) || std::ranges::any_of(*list_, [&](const ListedInstance& each) {
           ++examined_;
           return MayUse(*each.instance, constraints, false);
         });
}

}  // namespace meridian::dispatch
