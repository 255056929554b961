#include "http/server/server_group.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "http/limits.hpp"
#include "http/server/connection_budget.hpp"
#include "http/server/server_context.hpp"
#include "http/server/server_metrics.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::http {
namespace {

using Evicted = ServerMetrics::Evicted;

constexpr std::array<Waiting, kWaitingKinds> kEvictionOrder = {Waiting::kIdle, Waiting::kHandshake,
                                                               Waiting::kHead};

// Calls `use` with the server's connections of this kind.
template <class Server, class Use>
auto WithWaiting(Server& server, Waiting kind, Use use) {
  switch (kind) {
    case Waiting::kHandshake:
      return use(server.handshakes);
    case Waiting::kIdle:
      return use(server.idle);
    case Waiting::kHead:
      return use(server.half_heads);
  }
  CHECK(false);
}

size_t Count(const ServerContext& server, Waiting kind) {
  return WithWaiting(server, kind, [](const auto& waiting) { return waiting.size(); });
}

TimePoint OldestSince(const ServerContext& server, Waiting kind) {
  return WithWaiting(server, kind, [](const auto& waiting) { return waiting.oldest_since(); });
}

bool EvictOldest(ServerContext& server, Waiting kind) {
  return WithWaiting(server, kind, [](auto& waiting) { return waiting.EvictOldest(); });
}

Evicted MetricOf(Waiting kind) {
  switch (kind) {
    case Waiting::kHandshake:
      return Evicted::kHandshake;
    case Waiting::kIdle:
      return Evicted::kIdle;
    case Waiting::kHead:
      return Evicted::kHead;
  }
  CHECK(false);
}

}  // namespace

ServerGroup::ServerGroup(io::Loop& loop, std::shared_ptr<ConnectionBudget> budget, std::string name)
    : loop_(loop),
      budget_(std::move(budget)),
      name_(std::move(name)),
      own_(std::make_shared<GroupConnections>(loop, *this)) {
  budget_->Add(own_);
}

ServerGroup::~ServerGroup() {
  own_->group = nullptr;
  budget_->Remove(own_);
}

ServerGroup::Admission ServerGroup::Admit() {
  if (budget_->Take()) {
    ++open_;
    if (full_.lasts()) OnRoom();
    return {.admitted = true};
  }
  // First, so that no other loop takes the place of the evicted one.
  budget_->TakeForEvicted();
  Admission admission = DoEvict();
  OnFull(admission.admitted);
  if (admission.admitted) {
    ++open_;
  } else {
    budget_->Give();
  }
  return admission;
}

// What the other loop had may wait no longer, and something else may wait now.
io::Task<bool> ServerGroup::AwaitRoom(std::shared_ptr<Eviction> pending) {
  for (int i = 0; i < kMaxEvictionTries; ++i) {
    while (!pending->is_answered) {
      if (!co_await pending->answered.Wait()) co_return false;
    }
    if (pending->evicted || !budget_->IsExceeded()) co_return true;
    Admission again = DoEvict();
    if (!again.pending) co_return again.admitted;
    pending = std::move(again.pending);
  }
  co_return false;
}

void ServerGroup::Left() {
  --open_;
  if (ending_ > 0) --ending_;
  budget_->Give();
  Publish();
}

void ServerGroup::Publish() {
  own_->staying.store(open_ - ending_, std::memory_order_relaxed);
  for (size_t kind = 0; kind < kWaitingKinds; ++kind) {
    size_t count = 0;
    TimePoint oldest = kNever;
    for (const ServerContext* each : servers_) {
      count += Count(*each, static_cast<Waiting>(kind));
      oldest = std::min(oldest, OldestSince(*each, static_cast<Waiting>(kind)));
    }
    own_->waiting[kind].store(count, std::memory_order_relaxed);
    own_->oldest[kind].store(oldest.time_since_epoch().count(), std::memory_order_relaxed);
  }
}

ServerGroup::Admission ServerGroup::DoEvict() {
  Publish();
  const Groups groups = budget_->groups();
  size_t staying = 0;
  size_t shaking = 0;
  for (const auto& each : groups) {
    staying += each->stay();
    shaking += each->left(Waiting::kHandshake);
  }
  const bool crowded = shaking > staying / kHandshakeShare;
  if (crowded) {
    Admission room = EvictFrom(groups, Waiting::kHandshake);
    if (room.admitted) return room;
  }
  for (Waiting kind : kEvictionOrder) {
    Admission room = EvictFrom(groups, kind);
    if (room.admitted) return room;
  }
  return {};
}

// A loop that was asked already comes after the others: which of its connections will be the oldest
// is not known.
ServerGroup::Admission ServerGroup::EvictFrom(const Groups& groups, Waiting kind) {
  // The other loop must not close a handshake that began after this loop has asked it.
  const TimePoint old =
      loop_.Now() - (kind == Waiting::kHandshake ? Duration() : kMinWaitElsewhere);
  const auto index = static_cast<size_t>(kind);
  const auto order = [&](const auto& each) {
    const TimePoint since = each->left(kind) == 0 ? kNever : each->oldest_since(kind);
    if (each == own_) return std::pair(false, since);
    const bool asked = each->asked[index].load(std::memory_order_relaxed) > 0;
    return std::pair(asked, since > old ? kNever : since);
  };
  const auto may_go = [&](const auto& each) { return order(each).second != kNever; };
  auto of_oldest = own_;
  for (const auto& each : groups) {
    if (may_go(each) && (!may_go(of_oldest) || order(each) < order(of_oldest))) of_oldest = each;
  }
  if (of_oldest == own_) return {.admitted = EvictHere(kind)};
  of_oldest->asked[index].fetch_add(1, std::memory_order_relaxed);
  auto eviction = std::make_shared<Eviction>();
  of_oldest->loop.Post([of_oldest, index, kind, old, eviction, &asking = loop_] {
    of_oldest->asked[index].fetch_sub(1, std::memory_order_relaxed);
    const bool evicted =
        of_oldest->group != nullptr && of_oldest->group->EvictForAnother(kind, old);
    asking.Post([eviction, evicted] {
      eviction->is_answered = true;
      eviction->evicted = evicted;
      eviction->answered.WakeAll();
    });
  });
  return {.admitted = true, .pending = std::move(eviction)};
}

// The oldest may have new bytes that nobody has read yet: then another one is evicted.
bool ServerGroup::EvictHere(Waiting kind) {
  const auto evict = [&](ServerContext* server) {
    if (!EvictOldest(*server, kind)) return false;
    if (server->metrics != nullptr) server->metrics->ConnectionEvicted(MetricOf(kind));
    return true;
  };
  const auto of_oldest = std::ranges::min_element(
      servers_, {}, [&](ServerContext* server) { return OldestSince(*server, kind); });
  const bool evicted =
      (of_oldest != servers_.end() && evict(*of_oldest)) || std::ranges::any_of(servers_, evict);
  if (evicted) ++ending_;
  Publish();
  return evicted;
}

bool ServerGroup::EvictForAnother(Waiting kind, TimePoint old) {
  Publish();
  return own_->oldest_since(kind) <= old && EvictHere(kind);
}

void ServerGroup::OnFull(bool evicted) {
  last_full_ = loop_.Now();
  if (!full_.OnProblem("full", last_full_)) return;
  LOG_WARNING("the limit of connections is reached", {"port", name_}, {"limit", budget_->limit()},
              {"closes_waiting_connections", evicted}, {"times", full_.count()});
}

void ServerGroup::OnRoom() {
  if (loop_.Now() - last_full_ < kRoomAfter) return;
  full_.OnSolved();
  LOG_INFO("connections are below their limit again", {"port", name_});
}

}  // namespace meridian::http
