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
  const bool evicted = Evict();
  OnFull(evicted);
  if (!evicted) return false;
  budget_->TakeForEvicted();
  ++open_;
  return true;
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
    for (const ServerContext* each : servers_) count += Count(*each, static_cast<Waiting>(kind));
    own_->waiting[kind].store(count, std::memory_order_relaxed);
  }
}

bool ServerGroup::Evict() {
  Publish();
  const Groups groups = budget_->groups();
  size_t staying = 0;
  size_t shaking = 0;
  for (const auto& each : groups) {
    staying += each->staying.load(std::memory_order_relaxed);
    shaking += each->left(Waiting::kHandshake);
  }
  const bool crowded = shaking > staying / kHandshakeShare;
  return (crowded && EvictFrom(groups, Waiting::kHandshake)) ||
         std::ranges::any_of(kEvictionOrder, [&](Waiting kind) { return EvictFrom(groups, kind); });
}

// At the loop with the most such connections, else at this one.
bool ServerGroup::EvictFrom(const Groups& groups, Waiting kind) {
  const auto most =
      *std::ranges::max_element(groups, {}, [&](const auto& each) { return each->left(kind); });
  if (most == own_ || most->left(kind) <= own_->left(kind)) return EvictHere(kind);
  most->asked[static_cast<size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
  most->loop.Post([most, kind] {
    most->asked[static_cast<size_t>(kind)].fetch_sub(1, std::memory_order_relaxed);
    if (most->group != nullptr) most->group->EvictForAnother(kind);
  });
  return true;
}

// Evicts at the server with the most such connections, else at another one.
bool ServerGroup::EvictHere(Waiting kind) {
  const auto evict = [&](ServerContext* server) {
    if (!EvictOldest(*server, kind)) return false;
    if (server->metrics != nullptr) server->metrics->ConnectionEvicted(MetricOf(kind));
    return true;
  };
  const auto most = std::ranges::max_element(
      servers_, {}, [&](ServerContext* server) { return Count(*server, kind); });
  const bool evicted =
      (most != servers_.end() && evict(*most)) || std::ranges::any_of(servers_, evict);
  if (evicted) ++ending_;
  Publish();
  return evicted;
}

void ServerGroup::EvictForAnother(Waiting kind) {
  if (EvictHere(kind)) return;
  std::ranges::any_of(kEvictionOrder, [&](Waiting other) { return EvictHere(other); });
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
