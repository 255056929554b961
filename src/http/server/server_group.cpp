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

namespace meridian::http {
namespace {

using Evicted = ServerMetrics::Evicted;

constexpr std::array<Waiting, kWaitingKinds> kEvictionOrder = {Waiting::kIdle, Waiting::kHandshake,
                                                               Waiting::kHead};

size_t Count(const ServerContext& server, Waiting kind) {
  switch (kind) {
    case Waiting::kHandshake:
      return server.handshakes.size();
    case Waiting::kIdle:
      return server.idle.size();
    case Waiting::kHead:
      return server.half_heads.size();
  }
  CHECK(false);
}

TimePoint OldestSince(const ServerContext& server, Waiting kind) {
  switch (kind) {
    case Waiting::kHandshake:
      return server.handshakes.oldest_since();
    case Waiting::kIdle:
      return server.idle.oldest_since();
    case Waiting::kHead:
      return server.half_heads.oldest_since();
  }
  CHECK(false);
}

bool EvictOldest(ServerContext& server, Waiting kind) {
  switch (kind) {
    case Waiting::kHandshake:
      return server.handshakes.EvictOldest();
    case Waiting::kIdle:
      return server.idle.EvictOldest();
    case Waiting::kHead:
      return server.half_heads.EvictOldest();
  }
  CHECK(false);
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

bool ServerGroup::Admit() {
  if (budget_->Take()) {
    ++open_;
    if (full_.lasts()) OnRoom();
    return true;
  }
  // First: a loop that is asked to evict looks whether the limit is exceeded.
  budget_->TakeForEvicted();
  const bool evicted = Evict();
  OnFull(evicted);
  if (evicted) {
    ++open_;
  } else {
    budget_->Give();
  }
  return evicted;
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

bool ServerGroup::Evict() {
  Publish();
  const Groups groups = budget_->groups();
  size_t staying = 0;
  size_t shaking = 0;
  for (const auto& each : groups) {
    staying += each->stay();
    shaking += each->left(Waiting::kHandshake);
  }
  const bool crowded = shaking > staying / kHandshakeShare;
  return (crowded && EvictFrom(groups, Waiting::kHandshake)) ||
         std::ranges::any_of(kEvictionOrder, [&](Waiting kind) { return EvictFrom(groups, kind); });
}

bool ServerGroup::EvictFrom(const Groups& groups, Waiting kind) {
  // A handshake that comes while the other loop is asked is not the one that is meant.
  const TimePoint old =
      loop_.Now() - (kind == Waiting::kHandshake ? Duration() : kMinWaitElsewhere);
  const auto waiting_since = [&](const auto& each) {
    const TimePoint since = each->oldest_since(kind);
    return each->left(kind) == 0 || (each != own_ && since > old) ? kNever : since;
  };
  const auto of_oldest = *std::ranges::min_element(groups, {}, waiting_since);
  if (of_oldest == own_ || waiting_since(of_oldest) == kNever) return EvictHere(kind);
  of_oldest->asked[static_cast<size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
  of_oldest->loop.Post([of_oldest, kind, old] {
    of_oldest->asked[static_cast<size_t>(kind)].fetch_sub(1, std::memory_order_relaxed);
    if (of_oldest->group != nullptr) of_oldest->group->EvictForAnother(kind, old);
  });
  return true;
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

// The connection that the other loop knew of may wait no longer; then there may be room, or others
// that wait.
void ServerGroup::EvictForAnother(Waiting kind, TimePoint old) {
  Publish();
  if (own_->oldest_since(kind) <= old && EvictHere(kind)) return;
  if (budget_->IsExceeded()) (void)Evict();
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
