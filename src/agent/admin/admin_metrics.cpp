#include "agent/admin/admin_metrics.hpp"

#include <algorithm>
#include <string_view>

#include "agent/children/tier_table.hpp"
#include "agent/context.hpp"
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

io::Task<void> ServeTierMetrics(const Context& context, http::Exchange& exchange) {
  const std::string_view name = exchange.request().path.substr(kTierMetricsPath.size());
  const auto tiers = TierTable(context.site, context.here, context.hosting);
  auto tier = std::ranges::find(tiers, name, &TierEntry::name);
  if (tier == tiers.end()) {
    (void)co_await http::RespondText(exchange, 404, "there is no such tier here\n");
    co_return;
  }
  auto ops = std::ranges::find(tier->sockets, "ops", &TierSocket::name);
  http::Client client(context.loop, context.network, {.address = ops->at});
  const http::Request request{.path = "/metrics", .host = tier->name};
  const TimePoint deadline = context.loop.After(kTierMetricsTimeout);
  Result<http::Fetched> answer = co_await http::Fetch(client, request, kMaxTierMetrics, deadline);
  if (answer && answer->status != 200) {
    answer = Fail(Errc::kUnavailable, "status {}", answer->status);
  }
  if (!answer) {
    (void)co_await http::RespondText(
        exchange, 503,
        "its " + tier->name + " tier does not answer (" + answer.error().message + ")\n");
    co_return;
  }
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", ContentTypeOf(MetricsFormat::kPrometheus));
  (void)co_await exchange.Respond({.fields = fields}, AsBytes(answer->body));
}

}  // namespace meridian::agent
