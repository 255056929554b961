#include "http/server/server_group.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/log.hpp"
#include "http/limits.hpp"
#include "http/server/server_context.hpp"
#include "http/server/server_metrics.hpp"

namespace meridian::http {
namespace {

using Evicted = ServerMetrics::Evicted;

// Evicts at the server with the most such connections, else at another one.
template <class List>
bool EvictFrom(const std::vector<ServerContext*>& servers, List ServerContext::* list,
               Evicted evicted) {
  const auto evict = [&](ServerContext* server) {
    if (!(server->*list).EvictOldest()) return false;
    if (server->metrics != nullptr) server->metrics->ConnectionEvicted(evicted);
    return true;
  };
  const auto most = std::ranges::max_element(
      servers, {}, [&](ServerContext* server) { return (server->*list).size(); });
  return (most != servers.end() && evict(*most)) || std::ranges::any_of(servers, evict);
}

}  // namespace

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
}

bool ServerGroup::Evict() {
  size_t shaking = 0;
  for (const ServerContext* each : servers_) shaking += each->handshakes.size();
  const auto evict_handshake = [this] {
    return EvictFrom(servers_, &ServerContext::handshakes, Evicted::kHandshake);
  };
  const bool crowded = shaking > (open_ - ending_) / kHandshakeShare;
  const bool evicted =
      (crowded && evict_handshake()) || EvictFrom(servers_, &ServerContext::idle, Evicted::kIdle) ||
      evict_handshake() || EvictFrom(servers_, &ServerContext::half_heads, Evicted::kHead);
  if (evicted) ++ending_;
  return evicted;
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
