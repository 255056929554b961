#include "dispatch/roster.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "dispatch/choice.hpp"
#include "dispatch/config.hpp"
#include "dispatch/health.hpp"
#include "dispatch/instance.hpp"
#include "dispatch/outliers.hpp"
#include "dispatch/panic.hpp"
#include "dispatch/request_queue.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/tier/control.hpp"
#include "site/view/view.hpp"

namespace meridian::dispatch {

using Standing = InstanceHealth::Standing;

// A request that waits; in the frame of its fiber.
struct Roster::QueuedRequest {
  const ChoiceConstraints& constraints;
  std::shared_ptr<Instance> granted = nullptr;
  bool refused = false;
  io::WaitQueue woken = {};
};

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

}  // namespace

Slot& Slot::operator=(Slot&& other) noexcept {
  Free();
  roster_ = other.roster_;
  instance_ = std::move(other.instance_);
  return *this;
}

void Slot::Free() {
  if (!instance_) return;
  roster_->Free(std::exchange(instance_, nullptr));
}

Roster::Roster(io::Loop& loop, const Config& config, std::string_view tier, Metrics& metrics,
               Random random)
    : loop_(loop),
      config_(config),
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
      random_(random),
      queue_(config.max_queued) {}

Roster::~Roster() = default;

void Roster::Replace(std::vector<std::shared_ptr<Instance>> instances) {
  for (auto& instance : instances_) {
    if (std::ranges::find(instances, instance) != instances.end()) continue;
    instance->removed = true;
    instance->client.CloseIdle();
  }
  instances_ = std::move(instances);
  for (auto& instance : instances_) {
    if (instance->leaving) instance->client.CloseIdle();
  }
  with_room_ = static_cast<size_t>(
      std::ranges::count_if(instances_, [this](const auto& each) { return HasRoom(*each); }));
  OnChange();
  if (on_leaving) on_leaving();
}

bool Roster::HasRoom(const Instance& instance) const {
  return instance.in_flight < config_.max_in_flight;
}

void Roster::Occupy(Instance& instance) {
  ++instance.in_flight;
  instance.health.OnSent(loop_.Now());
  if (!HasRoom(instance)) --with_room_;
}

void Roster::Free(const std::shared_ptr<Instance>& instance) {
  if (!HasRoom(*instance) && !instance->removed) ++with_room_;
  --instance->in_flight;
  instance->health.OnLeft();
  if (instance->leaving || instance->removed) {
    // All connections are idle now; they are closed for an application that waits for that before
    // it exits.
    instance->client.CloseIdle();
    if (on_leaving) on_leaving();
  }
  if (queue_.empty()) return;
  UpdateStandings();
  ServeQueue(queue_is_behind_ ? nullptr : instance);
}

std::vector<site::InstanceReport> Roster::Report() const {
  std::vector<site::InstanceReport> reports;
  TimePoint now = loop_.Now();
  for (const auto& instance : instances_) {
    InstanceHealth& health = instance->health;
    reports.push_back({.id = instance->id,
                       .use = UseOf(health, now, config_.slow_start, in_panic_),
                       .in_flight = instance->in_flight,
                       .requests = static_cast<uint32_t>(health.requests(now)),
                       .failures = static_cast<uint32_t>(health.failures(now))});
  }
  return reports;
}

uint64_t Roster::leaving_requests() const {
  uint64_t requests = 0;
  for (const auto& instance : instances_) requests += instance->leaving ? instance->in_flight : 0;
  return requests;
}

void Roster::OnChange() {
  UpdateStandings();
  ServeQueue(nullptr);
  if (!queue_.empty()) RefuseQueue();
}

// Called at each choice, as the health of instances also changes with time: ejections end.
void Roster::UpdateStandings() {
  TimePoint now = loop_.Now();
  Standings standings;
  for (const auto& instance : instances_) {
    if (instance->health.said_healthy() && !instance->health.refused()) ++standings.running;
    const Standing standing = instance->health.standing(now);
    if (standing == Standing::kIn) ++standings.in;
    if (standing == Standing::kTrial) ++standings.on_trial;
  }
  examined_ += instances_.size();
  if (standings == standings_) return;
  standings_ = standings;
  queue_is_behind_ = true;
  const bool panic = IsPanic(standings.running, standings.in);
  if (panic != in_panic_) SetPanic(panic);
}

void Roster::SetPanic(bool panic) {
  const auto& [running, in, on_trial] = standings_;
  in_panic_ = panic;
  panic_.Set(panic ? 1 : 0);
  problem_ =
      panic ? fmt::format("panic: {} of {} running instances look well; all are used", in, running)
            : "";
  if (panic) {
    LOG_WARNING("panic: too few instances look well, all that run are used", {"well", in},
                {"running", running});
  } else {
    LOG_INFO("panic is over", {"well", in}, {"running", running});
  }
  if (on_problem) on_problem();
}

bool Roster::IsGood(const Instance& instance, const ChoiceConstraints& constraints,
                    TimePoint now) const {
  const InstanceHealth& health = instance.health;
  if (in_panic_) return health.said_healthy() && !health.refused();
  switch (health.standing(now)) {
    case Standing::kIn:
      return true;
    case Standing::kTrial:
      return constraints.may_use_trial && !health.trying();
    case Standing::kOut:
      return false;
  }
}

bool Roster::HasGood(const ChoiceConstraints& constraints, TimePoint now) {
  return std::ranges::any_of(instances_, [&](const auto& instance) {
    ++examined_;
    return MayUse(*instance, constraints, true, now);
  });
}

bool Roster::MayUse(const Instance& instance, const ChoiceConstraints& constraints, bool has_good,
                    TimePoint now) const {
  if (std::ranges::count(constraints.tried(), &instance) > 0) return false;
  if (has_good) return IsGood(instance, constraints, now);
  return instance.health.said_healthy() && instance.health.refused();
}

bool Roster::IsUsable(const Instance& instance) const {
  ChoiceConstraints weakest;
  weakest.may_use_trial = true;
  const TimePoint now = loop_.Now();
  return MayUse(instance, weakest, true, now) || MayUse(instance, weakest, false, now);
}

bool Roster::HasEligible(const ChoiceConstraints& constraints) {
  UpdateStandings();
  return MayServe(constraints);
}

bool Roster::MayServe(const ChoiceConstraints& constraints) {
  const TimePoint now = loop_.Now();
  return HasGood(constraints, now) || std::ranges::any_of(instances_, [&](const auto& instance) {
           ++examined_;
           return MayUse(*instance, constraints, false, now);
         });
}

// Prepares candidates_.
void Roster::FindCandidates(const ChoiceConstraints& constraints) {
  const TimePoint now = loop_.Now();
  const bool has_good = HasGood(constraints, now);
  candidates_.clear();
  for (const auto& instance : instances_) {
    ++examined_;
    const bool usable = HasRoom(*instance) && MayUse(*instance, constraints, has_good, now);
    const double weight = in_panic_ ? 1 : instance->health.weight(now, config_.slow_start);
    candidates_.push_back({instance->in_flight, usable, weight});
  }
}

std::shared_ptr<Instance> Roster::Choose(const ChoiceConstraints& constraints) {
  FindCandidates(constraints);
  std::optional<size_t> chosen = dispatch::Choose(candidates_, random_);
  if (!chosen) return nullptr;
  Occupy(*instances_[*chosen]);
  return instances_[*chosen];
}

Slot Roster::TakeNow(const ChoiceConstraints& constraints) {
  if (with_room_ == 0) return {};
  UpdateStandings();
  std::shared_ptr<Instance> instance = Choose(constraints);
  return instance ? Slot(*this, std::move(instance)) : Slot();
}

io::Task<Result<Slot>> Roster::Take(const ChoiceConstraints& constraints, TimePoint deadline) {
  if (Slot slot = TakeNow(constraints)) co_return slot;
  if (!HasEligible(constraints)) co_return Fail(Errc::kUnavailable, "no instance is healthy");
  QueuedRequest ticket{.constraints = constraints};
  if (!queue_.Add(ticket)) {
    shed_.Add();
    co_return Fail(Errc::kTooLarge, "{} requests wait for an instance already", queue_.size());
  }
  queued_.Set(static_cast<double>(queue_.size()));
  Result<void> woken = co_await ticket.woken.Wait(deadline);
  // Granted and cancelled in the same loop iteration: the slot's destructor serves the queue.
  Slot slot = ticket.granted ? Slot(*this, std::move(ticket.granted)) : Slot();
  if (!slot && !ticket.refused) queue_.Remove(ticket);
  queued_.Set(static_cast<double>(queue_.size()));
  if (!woken && woken.error().code == Errc::kCancelled) co_return Fail(std::move(woken.error()));
  if (slot) co_return slot;
  if (ticket.refused) co_return Fail(Errc::kUnavailable, "no instance is healthy any more");
  late_.Add();
  co_return Fail(Errc::kTimeout, "no instance had room in time");
}

std::shared_ptr<Instance> Roster::ChooseFrom(const std::shared_ptr<Instance>& only,
                                             const ChoiceConstraints& constraints) {
  if (only == nullptr) return Choose(constraints);
  const TimePoint now = loop_.Now();
  if (!MayUse(*only, constraints, HasGood(constraints, now), now)) return nullptr;
  Occupy(*only);
  return only;
}

void Roster::ServeQueue(const std::shared_ptr<Instance>& only) {
  using Verdict = RequestQueue<QueuedRequest>::Verdict;
  if (only == nullptr) queue_is_behind_ = false;
  if (only != nullptr && (only->removed || !IsUsable(*only))) return;
  const auto has_room = [&] { return only == nullptr ? with_room_ > 0 : HasRoom(*only); };
  // Requests that were sent nowhere yet differ in may_use_trial alone: when one of them must wait,
  // the others must. So the instances are not examined for each request.
  std::array<bool, 2> must_wait{};
  queue_.ForEach([&](QueuedRequest& ticket) {
    ++examined_;
    if (!has_room()) return Verdict::kStop;
    const bool is_new = ticket.constraints.tried().empty();
    bool& waits = must_wait[ticket.constraints.may_use_trial ? 1 : 0];
    if (is_new && waits) return Verdict::kStays;
    ticket.granted = ChooseFrom(only, ticket.constraints);
    if (ticket.granted == nullptr) {
      waits = waits || is_new;
      return Verdict::kStays;
    }
    // A request that has just timed out is not waiting any more, but uses the grant all the same.
    (void)ticket.woken.WakeOne();
    return Verdict::kLeaves;
  });
}

// Refuses the requests whose constraints no instance satisfies any more.
void Roster::RefuseQueue() {
  using Verdict = RequestQueue<QueuedRequest>::Verdict;
  queue_.ForEach([this](QueuedRequest& ticket) {
    ++examined_;
    if (MayServe(ticket.constraints)) return Verdict::kStays;
    ticket.refused = true;
    (void)ticket.woken.WakeOne();
    return Verdict::kLeaves;
  });
}

void Roster::EjectIfOutlier(Instance& instance) {
  TimePoint now = loop_.Now();
  std::vector<RecentResults> conducts;
  size_t which = instances_.size();
  for (const auto& each : instances_) {
    if (!each->health.said_healthy() && each.get() != &instance) continue;
    if (each.get() == &instance) which = conducts.size();
    conducts.push_back({.requests = each->health.requests(now),
                        .failures = each->health.failures(now),
                        .unanswered_in_row = each->health.unanswered_in_row(),
                        .out = each->health.standing(now) != Standing::kIn});
  }
  if (which >= conducts.size() || !ShouldEject(conducts, which)) return;
  instance.health.Eject(now);
  ejections_.Add();
  LOG_WARNING("an instance is ejected", {"instance", instance.id},
              {"failed", conducts[which].failures}, {"requests", conducts[which].requests});
  OnChange();
}

}  // namespace meridian::dispatch
