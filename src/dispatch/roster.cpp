#include "dispatch/roster.hpp"

#include <algorithm>
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
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/tier/control.hpp"
#include "site/view/view.hpp"

namespace meridian::dispatch {

using Standing = InstanceHealth::Standing;

// Somebody who waits; in the frame of the fiber that does.
struct Roster::Ticket {
  const Wish& wish;
  std::shared_ptr<Instance> granted = nullptr;
  bool sent_away = false;
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

Seat& Seat::operator=(Seat&& other) noexcept {
  Free();
  roster_ = other.roster_;
  instance_ = std::move(other.instance_);
  return *this;
}

void Seat::Free() {
  if (!instance_) return;
  roster_->Free(*std::exchange(instance_, nullptr));
}

Roster::Roster(io::Loop& loop, const Config& config, std::string_view tier, Metrics& metrics,
               Random random)
    : loop_(loop),
      config_(config),
      ejections_(metrics.AddCounter(fmt::format("meridian_{}_ejections_total", tier),
                                    "Instances taken out for what they did to requests.")),
      shed_(metrics.AddCounter(fmt::format("meridian_{}_shed_total", tier),
                               "Requests refused, by what was full.", {{"reason", "queue_full"}})),
      late_(metrics.AddCounter(fmt::format("meridian_{}_shed_total", tier),
                               "Requests refused, by what was full.",
                               {{"reason", "queue_timeout"}})),
      queued_(metrics.AddGauge(fmt::format("meridian_{}_queued", tier),
                               "Requests that wait for an instance with room.")),
      panic_(metrics.AddGauge(fmt::format("meridian_{}_panic", tier),
                              "1 while evidence against instances is set aside.")),
      random_(random),
      line_(config.max_queued) {}

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
  OnChange();
  if (on_leaving) on_leaving();
}

void Roster::Free(Instance& instance) {
  --instance.in_flight;
  instance.health.OnLeft();
  if (instance.leaving || instance.removed) {
    // The connection that was used last is idle by now, and an application that waits for its
    // connections to end need not wait for ours.
    instance.client.CloseIdle();
    if (on_leaving) on_leaving();
  }
  ServeLine();
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
  LookForPanic();
  ServeLine();
  if (!line_.empty()) SendLineAway();
}

// The evidence changes with time alone, too, when an ejection ends: asked at each choice.
void Roster::LookForPanic() {
  TimePoint now = loop_.Now();
  size_t running = 0;
  size_t in = 0;
  for (const auto& instance : instances_) {
    if (instance->health.said_healthy() && !instance->health.refused()) ++running;
    if (instance->health.standing(now) == Standing::kIn) ++in;
  }
  bool panic = IsPanic(running, in);
  if (panic == in_panic_) return;
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

bool Roster::IsGood(const Instance& instance, const Wish& wish, TimePoint now) const {
  const InstanceHealth& health = instance.health;
  if (in_panic_) return health.said_healthy() && !health.refused();
  switch (health.standing(now)) {
    case Standing::kIn:
      return true;
    case Standing::kTrial:
      return wish.may_try && !health.trying();
    case Standing::kOut:
      return false;
  }
}

// Prepares candidates_. False: there is no instance for this wish, with room or without.
bool Roster::Fill(const Wish& wish) {
  LookForPanic();
  TimePoint now = loop_.Now();
  candidates_.clear();
  bool any = false;
  auto add = [&](const Instance& instance, bool fits) {
    bool fresh = fits && std::ranges::count(wish.tried(), &instance) == 0;
    any = any || fresh;
    double weight = in_panic_ ? 1 : instance.health.weight(now, config_.slow_start);
    bool room = instance.in_flight < config_.max_in_flight;
    candidates_.push_back({instance.in_flight, fresh && room, weight});
  };
  for (const auto& instance : instances_) add(*instance, IsGood(*instance, wish, now));
  if (any) return true;
  candidates_.clear();
  for (const auto& instance : instances_) {
    add(*instance, instance->health.said_healthy() && instance->health.refused());
  }
  return any;
}

std::shared_ptr<Instance> Roster::Choose(const Wish& wish) {
  if (!Fill(wish)) return nullptr;
  std::optional<size_t> chosen = dispatch::Choose(candidates_, random_);
  if (!chosen) return nullptr;
  std::shared_ptr<Instance>& instance = instances_[*chosen];
  ++instance->in_flight;
  instance->health.OnSent(loop_.Now());
  return instance;
}

Seat Roster::TakeNow(const Wish& wish) {
  std::shared_ptr<Instance> instance = Choose(wish);
  return instance ? Seat(*this, std::move(instance)) : Seat();
}

io::Task<Result<Seat>> Roster::Take(const Wish& wish, TimePoint deadline) {
  if (Seat seat = TakeNow(wish)) co_return seat;
  if (!HasFor(wish)) co_return Fail(Errc::kUnavailable, "no instance is healthy");
  Ticket ticket{.wish = wish};
  if (!line_.Join(ticket)) {
    shed_.Add();
    co_return Fail(Errc::kTooLarge, "{} requests wait for an instance already", line_.size());
  }
  queued_.Set(static_cast<double>(line_.size()));
  Result<void> woken = co_await ticket.woken.Wait(deadline);
  // Granted and cancelled in one turn: the end of the seat passes it on.
  Seat seat = ticket.granted ? Seat(*this, std::move(ticket.granted)) : Seat();
  if (!seat && !ticket.sent_away) line_.Leave(ticket);
  queued_.Set(static_cast<double>(line_.size()));
  if (!woken && woken.error().code == Errc::kCancelled) co_return Fail(std::move(woken.error()));
  if (seat) co_return seat;
  if (ticket.sent_away) co_return Fail(Errc::kUnavailable, "no instance is healthy any more");
  late_.Add();
  co_return Fail(Errc::kTimeout, "no instance had room in time");
}

void Roster::ServeLine() {
  auto grant = [this](Ticket& ticket) {
    ticket.granted = Choose(ticket.wish);
    return ticket.granted != nullptr;
  };
  // One that has just timed out has nothing to be woken from, and takes the grant all the same.
  while (Ticket* first = line_.Take(grant)) (void)first->woken.WakeOne();
}

// Those for whom there is no instance left.
void Roster::SendLineAway() {
  auto is_hopeless = [this](const Ticket& ticket) { return !HasFor(ticket.wish); };
  while (Ticket* ticket = line_.Take(is_hopeless)) {
    ticket->sent_away = true;
    (void)ticket->woken.WakeOne();
  }
}

void Roster::Judge(Instance& instance) {
  TimePoint now = loop_.Now();
  std::vector<Conduct> conducts;
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
