// Of the Roster: taking room, the queue of requests that wait for it, and freeing it.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "dispatch/choice_constraints.hpp"
#include "dispatch/policy/choice.hpp"
#include "dispatch/policy/health.hpp"
#include "dispatch/policy/request_queue.hpp"
#include "dispatch/roster.hpp"
#include "dispatch/roster_section.hpp"
#include "dispatch/shared_instance.hpp"
#include "dispatch/standings.hpp"

namespace meridian::dispatch {

using Standing = InstanceHealth::Standing;
using Verdict = RequestQueue<WaitingRequest>::Verdict;

bool Roster::MustWait(const ChoiceConstraints& constraints) const {
  if (queue_is_behind_ || !constraints.tried().empty()) return false;
  return new_waiting_[1] > 0 || (!constraints.may_use_trial && new_waiting_[0] > 0);
}

// No room: another loop was faster.
Grant Roster::TakeAt(const std::shared_ptr<SharedInstance>& instance) {
  if (!Occupy(*instance, config_.max_in_flight)) return {};
  Grant grant{.instance = instance,
              .on_trial = instance->health.standing(now_) == Standing::kTrial};
  if (grant.on_trial) {
    instance->health.OnTrial();
    UpdateStandings();
  }
  return grant;
}

Grant Roster::Choose(const ChoiceConstraints& constraints) {
  const bool has_good = HasGood(constraints);
  candidates_.clear();
  for (const auto& [instance, release] : *list_) {
    ++examined_;
    const uint32_t in_flight = instance->in_flight.load();
    const bool usable =
        in_flight < config_.max_in_flight && MayUse(*instance, constraints, has_good);
    const double weight =
        standings_->in_panic ? 1 : instance->health.weight(now_, config_.slow_start);
    candidates_.push_back({in_flight, usable, weight});
  }
  while (std::optional<size_t> chosen = dispatch::Choose(candidates_, random_)) {
    if (Grant grant = TakeAt((*list_)[*chosen].instance)) return grant;
    candidates_[*chosen].usable = false;
  }
  return {};
}

Grant Roster::ChooseFrom(const std::shared_ptr<SharedInstance>& only,
                         const ChoiceConstraints& constraints) {
  if (only == nullptr) return Choose(constraints);
  if (!MayUse(*only, constraints, HasGood(constraints))) return {};
  return TakeAt(only);
}

Grant Roster::TakeNow(const ChoiceConstraints& constraints, TimePoint now) {
  const Section section(*this, now);
  if (IsStale()) UpdateStandings();
  if (queue_is_behind_) ServeQueue(nullptr);
  return MustWait(constraints) ? Grant() : Choose(constraints);
}

Result<Grant> Roster::TakeOrQueue(WaitingRequest& request, TimePoint now) {
  const ChoiceConstraints& constraints = request.constraints;
  const Section section(*this, now, request.member.get());
  if (IsStale()) UpdateStandings();
  if (queue_is_behind_) ServeQueue(nullptr);
  if (!MustWait(constraints)) {
    if (Grant grant = Choose(constraints)) return grant;
    if (!MayServe(constraints)) return Fail(Errc::kUnavailable, "no instance is healthy");
  }
  const bool is_first = queue_.empty();
  if (!Enqueue(request)) {
    shed_.Add();
    return Fail(Errc::kTooLarge, "{} requests wait for an instance already", queue_.size());
  }
  if (!is_first) return Grant();
  // Room that became free before the loops saw that a request waits.
  Grant grant = Choose(constraints);
  if (grant) {
    queue_.Remove(request);
    CountOut(request);
    SetWaiting();
  }
  return grant;
}

void Roster::EndWait(WaitingRequest& request, bool late, TimePoint now) {
  const Section section(*this, now, request.member.get());
  if (request.granted || request.refused) return;
  queue_.Remove(request);
  CountOut(request);
  SetWaiting();
  if (late) late_.Add();
}

bool Roster::Enqueue(WaitingRequest& request) {
  if (!queue_.Add(request)) return false;
  if (request.constraints.tried().empty()) ++new_waiting_[request.constraints.may_use_trial];
  SetWaiting();
  return true;
}

void Roster::CountOut(const WaitingRequest& request) {
  if (request.constraints.tried().empty()) --new_waiting_[request.constraints.may_use_trial];
}

void Roster::SetWaiting() {
  queued_.Set(static_cast<double>(queue_.size()));
  const bool waiting = !queue_.empty();
  // Sequentially consistent: see the head of roster.hpp.
  if (has_waiting_.load(std::memory_order_relaxed) != waiting) has_waiting_.store(waiting);
}

void Roster::OnFreed(RosterMember& member, SharedInstance& instance, bool on_trial, TimePoint now) {
  const Section section(*this, now, &member);
  if (on_trial) instance.health.OnTrialEnd();
  if (on_trial || IsStale()) UpdateStandings();
  if (queue_.empty()) return;
  if (queue_is_behind_) {
    ServeQueue(nullptr);
    return;
  }
  auto listed = std::ranges::find_if(
      *list_, [&](const ListedInstance& each) { return each.instance.get() == &instance; });
  if (listed != list_->end()) ServeQueue(std::shared_ptr(listed->instance));
}

void Roster::ServeQueue(const std::shared_ptr<SharedInstance>& only) {
  if (only == nullptr) queue_is_behind_ = false;
  if (queue_.empty() || (only != nullptr && !IsUsable(*only))) return;
  const auto has_room = [&] {
    if (only != nullptr) return HasRoom(*only);
    return std::ranges::any_of(
        *list_, [this](const ListedInstance& each) { return HasRoom(*each.instance); });
  };
  // Requests that were sent nowhere yet differ in may_use_trial alone: when one of them must wait,
  // the others must. So the instances are not examined for each request.
  std::array<bool, 2> must_wait{};
  queue_.ForEach([&](WaitingRequest& request) {
    ++examined_;
    const bool is_new = request.constraints.tried().empty();
    bool& waits = must_wait[request.constraints.may_use_trial ? 1 : 0];
    if (is_new && waits) return Verdict::kStays;
    if (!has_room()) return Verdict::kStop;
    request.granted = ChooseFrom(only, request.constraints);
    if (!request.granted) {
      waits = waits || is_new;
      return Verdict::kStays;
    }
    CountOut(request);
    to_wake_.push_back(request.shared_from_this());
    return Verdict::kLeaves;
  });
  SetWaiting();
}

void Roster::RefuseQueue() {
  if (queue_.empty()) return;
  // As in ServeQueue: what holds for a request that was sent nowhere yet holds for all such.
  std::array<std::optional<bool>, 2> may_serve{};
  queue_.ForEach([&](WaitingRequest& request) {
    ++examined_;
    std::optional<bool> fresh;
    const bool is_new = request.constraints.tried().empty();
    std::optional<bool>& served =
        is_new ? may_serve[request.constraints.may_use_trial ? 1 : 0] : fresh;
    if (!served) served = MayServe(request.constraints);
    if (*served) return Verdict::kStays;
    request.refused = true;
    CountOut(request);
    to_wake_.push_back(request.shared_from_this());
    return Verdict::kLeaves;
  });
  SetWaiting();
}

}  // namespace meridian::dispatch
