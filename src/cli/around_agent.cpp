#include "cli/around_agent.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "agent/children/tier_table.hpp"
#include "agent/report/status.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/internal_fields.hpp"
#include "site/view/view.hpp"

namespace meridian::cli {
namespace {

constexpr Duration kAskTimeout = std::chrono::milliseconds{800};
constexpr size_t kMaxAnswerBytes = size_t{64} * 1024;

// "ready", "down" (connection refused), or "unknown".
io::Task<std::string> ReadinessAt(io::Loop& loop, io::Network& network, Endpoint at) {
  http::Client client(loop, network, {.address = at});
  http::Request request{.path = site::kReadyPath, .host = "tier"};
  auto answer = co_await http::Fetch(client, request, kMaxAnswerBytes, loop.After(kAskTimeout));
  if (!answer && answer.error().code == Errc::kRefused) co_return "down";
  co_return answer && answer->status == 200 ? "ready" : agent::kUnknownState;
}

io::Task<void> AskTier(io::Loop& loop, io::Network& network, Endpoint at, std::string* state) {
  *state = co_await ReadinessAt(loop, network, at);
}

}  // namespace

io::Task<void> AskAroundAgent(io::Loop& loop, io::Network& network, const site::Site& site,
                              const site::DataCenter& dc, agent::DataCenterStatus* status) {
  auto accepted = co_await network.Connect({site::PeerAddress(dc), site.ports.admin},
                                           {.from = {}, .deadline = loop.After(kAskTimeout)});
  if (!accepted) co_return;
  std::vector<agent::TierEntry> tiers = agent::TierTable(site, dc, site::Hosting::kServers);
  io::Scope scope(loop);
  std::string edge;
  scope.Spawn(AskTier(loop, network, {dc.address, site.ports.edge}, &edge));
  if (dc.address.is_loopback()) {
    for (const agent::TierEntry& tier : tiers) {
      status->tiers.push_back({.name = tier.name, .state = "", .port = tier.port, .problem = ""});
    }
    for (agent::TierStatus& tier : status->tiers) {
      Endpoint at = site::OpsEndpoint(site, dc, site::Hosting::kServers, tier.port);
      scope.Spawn(AskTier(loop, network, at, &tier.state));
    }
  }
  co_await scope.Join();
  bool serves = edge == "ready";
  status->state = serves ? site::StateName(site::DataCenterState::kServing) : agent::kUnknownState;
}

}  // namespace meridian::cli
