// The PURGE method for a URL, from addresses in [edge] purge_from. The order goes to this data
// center's agent, and from its journal to every edge of the site. The answer is the agent's report
// as JSON: 200 when every edge has applied it, 202 while some have not answered.
//
// `Meridian-Soft-Purge: 1` makes a soft purge. Each loop has one; one thread, the
// loop's.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "http/exchange.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"
#include "site/tier/tier_process.hpp"
#include "site/view/purge.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

// The order of a PURGE request. kInvalid: its target is not a URL that can be purged.
Result<site::PurgeOrder> PurgeOrderOf(const wire::http::RequestHead& request, bool secure);

class PurgeMethod {
 public:
  // `agent`: its admin port.
  PurgeMethod(io::Loop& loop, io::Network& network, http::Upstream agent,
              const std::vector<IpPrefix>& allowed);
  // With `peer_tls` of the loop.
  static http::Upstream AgentOf(const site::TierProcess& process,
                                std::shared_ptr<io::TlsContext> peer_tls);

  io::Task<void> Handle(http::Exchange& exchange);

 private:
  bool MayPurge(const http::Exchange& exchange) const;
  io::Task<Result<http::Fetched>> SendOrder(const site::PurgeOrder& order);

  io::Loop& loop_;
  const std::vector<IpPrefix>& allowed_;
  http::Client agent_;
};

}  // namespace meridian::edge
