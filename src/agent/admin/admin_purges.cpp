#include "agent/admin/admin_purges.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "agent/limits.hpp"
#include "agent/purges/purges.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "http/whole_body.hpp"
#include "io/task.hpp"
#include "site/view/purge.hpp"
#include "wire/http/message.hpp"

namespace meridian::agent {
namespace {

io::Task<void> Refuse(http::Exchange& exchange, int status, const Error& error) {
  (void)co_await http::RespondText(exchange, status, error.message + "\n");
}

io::Task<void> RespondJson(http::Exchange& exchange, std::string json) {
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", "application/json");
  (void)co_await exchange.Respond({.fields = fields}, AsBytes(json));
}

}  // namespace

std::optional<Duration> ReadPurgeTimeout(std::optional<std::string_view> query) {
  constexpr std::string_view kWait = "wait=";
  if (!query || query->empty()) return kPurgeTimeout;
  if (!query->starts_with(kWait)) return std::nullopt;
  query->remove_prefix(kWait.size());
  uint32_t milliseconds = 0;
  auto parsed = std::from_chars(query->data(), query->data() + query->size(), milliseconds);
  if (parsed.ec != std::errc() || parsed.ptr != query->data() + query->size()) return std::nullopt;
  return std::min<Duration>(std::chrono::milliseconds{milliseconds}, kMaxPurgeTimeout);
}

io::Task<void> ServePurge(Purges& purges, http::Exchange& exchange) {
  std::optional<Duration> timeout = ReadPurgeTimeout(exchange.request().query);
  if (!timeout) {
    co_return co_await Refuse(exchange, 400, {Errc::kInvalid, "expected ?wait=MILLISECONDS"});
  }
  Result<std::string> body = co_await http::ReadWholeBody(exchange);
  if (!body) co_return;  // the server has answered the error
  Result<site::PurgeOrder> order = site::ReadPurgeOrder(*body);
  if (!order) co_return co_await Refuse(exchange, 400, order.error());
  auto report = co_await purges.Purge(std::move(*order), *timeout);
  if (!report) co_return co_await Refuse(exchange, 503, report.error());
  co_await RespondJson(exchange, site::ToJson(*report));
}

io::Task<void> ServePurgePoll(Purges& purges, http::Exchange& exchange) {
  Result<std::string> body = co_await http::ReadWholeBody(exchange);
  if (!body) co_return;
  Result<site::PurgePoll> poll = site::ReadPurgePoll(*body);
  if (!poll) co_return co_await Refuse(exchange, 400, poll.error());
  auto answer = co_await purges.OnPoll(std::move(*poll));
  if (!answer) co_return co_await Refuse(exchange, 400, answer.error());
  co_await RespondJson(exchange, site::ToJson(*answer));
}

}  // namespace meridian::agent
