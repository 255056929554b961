#include "agent/admin/admin_logs.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "agent/context.hpp"
#include "agent/limits.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/client_exchange.hpp"
#include "http/exchange.hpp"
#include "http/limits.hpp"
#include "http/whole_body.hpp"
#include "io/task.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/output_frame.hpp"
#include "site/tier_description.hpp"
#include "site/trust/bearer.hpp"
#include "wire/http/message.hpp"

namespace meridian::agent {
namespace {

// Passes the answer on, whatever its status. Errors: those of the tier, before anything was sent.
io::Task<Result<void>> PassOn(http::ClientExchange& from, http::Exchange& to) {
  auto head = co_await from.ReadHead();
  while (head && (*head)->is_interim()) head = co_await from.ReadHead();
  if (!head) co_return Fail(std::move(head.error()));
  const wire::http::HeaderField type{"Content-Type",
                                     (*head)->fields.Find("Content-Type").value_or("text/plain")};
  const http::Response response{
      .status = (*head)->status, .fields = {{&type, 1}}, .content_length = (*head)->content_length};
  Result<void> done = to.Start(response);
  while (done) {
    Result<Bytes> data = co_await from.ReadBody();
    if (!data) {
      // The tier died meanwhile.
      to.Break();
      break;
    }
    if (data->empty()) {
      done = co_await to.Finish({}, {});
      break;
    }
    done = co_await to.Write(*data);
  }
  co_return Result<void>{};
}

io::Task<Result<void>> AskAndPassOn(http::Client& client, const http::Request& request,
                                    http::Exchange& to) {
  http::Sent sent = co_await client.Send(request);
  if (!sent) co_return Fail(std::move(sent.error().error));
  co_return co_await PassOn(*sent, to);
}

}  // namespace

io::Task<void> AdminLogs::Serve(http::Exchange& exchange) {
  const auto& tiers = context_.site.tiers;
  if (context_.here.edge_only ||
      std::ranges::find(tiers, "watch", &site::TierDescription::name) == tiers.end()) {
    (void)co_await http::RespondText(exchange, 503, "it has no watch tier\n");
    co_return;
  }
  if (answering_ >= kMaxLogRequests) {
    (void)co_await http::RespondText(exchange, 503, "too many ask for its log\n");
    co_return;
  }
  ++answering_;
  co_await Forward(exchange);
  --answering_;
}

io::Task<void> AdminLogs::Forward(http::Exchange& exchange) {
  Result<std::string> body = co_await http::ReadWholeBody(exchange);
  if (!body) co_return;  // the server has answered the error
  http::ClientLimits limits;
  limits.head_timeout = kLogPageTimeout;
  http::Client client(
      context_.loop, context_.network,
      {.address = {site::HostAddress(context_.here, context_.hosting), context_.site.ports.watch}},
      limits);
  const std::string bearer = site::BearerOf(context_.watch_password);
  const wire::http::HeaderField authorization{"Authorization", bearer};
  const http::Request request{.method = "POST",
                              .path = site::kLogSearchPath,
                              .query = exchange.request().query,
                              .host = "watch",
                              .fields = {{&authorization, 1}},
                              .body = {wire::http::BodyFraming::Kind::kContentLength, body->size()},
                              .content = AsBytes(*body)};
  Result<void> asked = co_await AskAndPassOn(client, request, exchange);
  if (asked || exchange.started()) co_return;
  (void)co_await http::RespondText(
      exchange, 503, "its watch tier does not answer (" + asked.error().message + ")\n");
}

}  // namespace meridian::agent
