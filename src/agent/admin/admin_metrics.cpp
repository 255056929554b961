#include "agent/admin/admin_metrics.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "agent/children/tier_table.hpp"
#include "agent/context.hpp"
#include "agent/engines/engine_access.hpp"
#include "agent/limits.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/metrics_text.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"
#include "wire/http/message.hpp"

namespace meridian::agent {
namespace {

io::Task<void> PassOn(const std::string& name, Result<http::Fetched> answer,
                      http::Exchange& exchange) {
  if (answer && answer->status != 200) {
    answer = Fail(Errc::kUnavailable, "status {}", answer->status);
  }
  if (!answer) {
    (void)co_await http::RespondText(
        exchange, 503, "its " + name + " tier does not answer (" + answer.error().message + ")\n");
    co_return;
  }
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", ContentTypeOf(MetricsFormat::kPrometheus));
  (void)co_await exchange.Respond({.fields = fields}, AsBytes(answer->body));
}

}  // namespace

io::Task<void> AdminMetrics::Serve(http::Exchange& exchange) {
  const std::string_view name = exchange.request().path.substr(kTierMetricsPath.size());
  const auto tiers = TierTable(context_.site, context_.here, context_.hosting);
  auto tier = std::ranges::find(tiers, name, &TierEntry::name);
  if (tier == tiers.end()) {
    (void)co_await http::RespondText(exchange, 404, "there is no such tier here\n");
    co_return;
  }
  if (reading_ >= kMaxTierMetricsRequests) {
    (void)co_await http::RespondText(exchange, 503, "too many ask\n");
    co_return;
  }
  auto ops = std::ranges::find(tier->sockets, "ops", &TierSocket::name);
  http::Client client(context_.loop, context_.network, {.address = ops->at});
  const http::Request request{.path = "/metrics", .host = tier->name};
  const TimePoint deadline = context_.loop.After(kTierMetricsTimeout);
  ++reading_;
  Result<http::Fetched> answer = co_await http::Fetch(client, request, kMaxTierMetrics, deadline);
  co_await PassOn(tier->name, std::move(answer), exchange);
  --reading_;
}

}  // namespace meridian::agent
