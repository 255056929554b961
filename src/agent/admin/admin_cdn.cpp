#include "agent/admin/admin_cdn.hpp"

#include <string>

#include "agent/context.hpp"
#include "agent/limits.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "http/exchange.hpp"
#include "io/task.hpp"
#include "site/limits.hpp"
#include "site/reach.hpp"
#include "site/view/cdn_report.hpp"
#include "wire/http/message.hpp"

namespace meridian::agent {

io::Task<void> ServeCdnReport(const Context& context, http::Exchange& exchange) {
  http::Client client(context.loop, context.network,
                      {.address = site::OpsEndpoint(context.site, context.here, context.hosting,
                                                    context.site.ports.edge)});
  const http::Request request{.path = site::kCdnReportPath, .host = "edge"};
  const TimePoint deadline = context.loop.After(kEdgeAnswerTimeout);
  Result<http::Fetched> answer =
      co_await http::Fetch(client, request, site::kMaxCdnReportBytes, deadline);
  if (answer && answer->status != 200) {
    answer = Fail(Errc::kUnavailable, "status {}", answer->status);
  }
  if (!answer) {
    const std::string problem = "its edge does not answer (" + answer.error().message + ")\n";
    (void)co_await http::RespondText(exchange, 503, problem);
    co_return;
  }
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", "application/json");
  (void)co_await exchange.Respond({.fields = fields}, AsBytes(answer->body));
}

}  // namespace meridian::agent
