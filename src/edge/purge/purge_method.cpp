#include "edge/purge/purge_method.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "edge/cache/cache_status.hpp"
#include "edge/fetch/answer.hpp"
#include "edge/limits.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "http/exchange.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/net/tls.hpp"
#include "io/task.hpp"
#include "site/limits.hpp"
#include "site/reach.hpp"
#include "site/tier/tier_process.hpp"
#include "site/trust/ca.hpp"
#include "site/view/purge.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {

constexpr std::string_view kSoftField = "Meridian-Soft-Purge";

Result<site::PurgeOrder> PurgeOrderOf(const wire::http::RequestHead& request, bool secure) {
  if (request.authority.empty() || !request.path.starts_with('/')) {
    return Fail(Errc::kInvalid, "name a host and a path");
  }
  site::PurgeOrder order{
      .value = fmt::format("{}://{}{}", secure ? "https" : "http", request.authority, request.path),
      .soft = request.fields.Find(kSoftField) == "1"};
  if (request.query) order.value += fmt::format("?{}", *request.query);
  Result<void> good = site::CheckPurge(order);
  if (!good) return Fail(std::move(good.error()));
  return order;
}

PurgeMethod::PurgeMethod(io::Loop& loop, io::Network& network, http::Upstream agent,
                         const std::vector<IpPrefix>& allowed)
    : loop_(loop), allowed_(allowed), agent_(loop, network, std::move(agent)) {}

http::Upstream PurgeMethod::AgentOf(const site::TierProcess& process,
                                    std::shared_ptr<io::TlsContext> peer_tls) {
  return {.address = {site::PeerAddress(process.here()), process.site().ports.admin},
          .tls = std::move(peer_tls),
          .tls_name = site::PeerName(process.here().name, process.site()),
          .from = site::PeerAddress(process.here())};
}

bool PurgeMethod::MayPurge(const http::Exchange& exchange) const {
  IpAddress peer = exchange.peer().address.Unmapped();
  return std::ranges::any_of(allowed_,
                             [&](const IpPrefix& allowed) { return allowed.Contains(peer); });
}

io::Task<Result<http::Fetched>> PurgeMethod::SendOrder(const site::PurgeOrder& order) {
  std::string body = site::ToJson(order);
  http::Request request{.method = "POST",
                        .path = "/.meridian/purge",
                        .host = agent_.upstream().tls_name,
                        .body = {wire::http::BodyFraming::Kind::kContentLength, body.size()},
                        .content = AsBytes(body)};
  co_return co_await http::Fetch(agent_, request, site::kMaxPurgeMessageBytes,
                                 loop_.After(kPurgeOrderTimeout));
}

io::Task<void> PurgeMethod::Handle(http::Exchange& exchange) {
  if (!MayPurge(exchange)) {
    co_await AnswerHere(exchange, 403, "[edge] purge_from does not have your address\n", {});
    co_return;
  }
  Result<site::PurgeOrder> order = PurgeOrderOf(exchange.request(), exchange.secure());
  if (!order) {
    const std::string why = order.error().message + "\n";
    co_await AnswerHere(exchange, 400, why, {});
    co_return;
  }
  Result<http::Fetched> answer = co_await SendOrder(*order);
  Result<site::PurgeReport> report = Fail(Errc::kInvalid, "the agent refused the order");
  if (!answer) report = Fail(std::move(answer.error()));
  if (answer && answer->status == 200) report = site::ReadPurgeReport(answer->body);
  if (!report) {
    LOG_WARNING("a purge could not be given", {"problem", report.error().message});
    co_await AnswerHere(exchange, 503, "the order could not be sent to the agent\n", {});
    co_return;
  }
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", "application/json");
  fields.Add("Cache-Status", kCacheName);
  (void)co_await exchange.Respond({.status = report->complete() ? 200 : 202, .fields = fields},
                                  AsBytes(answer->body));
}

}  // namespace meridian::edge
