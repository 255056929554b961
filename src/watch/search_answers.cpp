#include "watch/search_answers.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "http/whole_body.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "watch/limits.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/log_store.hpp"
#include "watch/log/remote/search_message.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/log/search/log_search.hpp"
#include "wire/http/message.hpp"

namespace meridian::watch {
namespace {

int StatusOf(const Error& error) {
  switch (error.code) {
    case Errc::kInvalid:
      return 400;
    case Errc::kTooLarge:
      return 413;
    default:
      return 503;
  }
}

io::Task<void> Refuse(http::Exchange& exchange, const Error& error) {
  (void)co_await http::RespondText(exchange, StatusOf(error), error.message + "\n");
}

}  // namespace

Result<std::optional<uint64_t>> ReadFollowedSequence(std::optional<std::string_view> query) {
  constexpr std::string_view kAfter = "after=";
  if (!query || query->empty()) return std::nullopt;
  uint64_t sequence = 0;
  const char* end = query->data() + query->size();
  bool good = query->starts_with(kAfter);
  if (good) {
    auto parsed = std::from_chars(query->data() + kAfter.size(), end, sequence);
    good = parsed.ec == std::errc() && parsed.ptr == end;
  }
  if (!good) return Fail(Errc::kInvalid, "expected ?after=SEQUENCE");
  return std::optional(sequence);
}

io::Task<void> SearchAnswers::Answer(http::Exchange& exchange) {
  auto after = ReadFollowedSequence(exchange.request().query);
  if (!after) co_return co_await Refuse(exchange, after.error());
  auto body = co_await http::ReadWholeBody(exchange);
  if (!body) co_return;  // the server has answered the error
  if (answering_ >= kMaxPageRequests) {
    metrics_.refused_searches().Add();
    co_return co_await Refuse(exchange, {Errc::kUnavailable, "too many ask the log store"});
  }
  ++answering_;
  co_await AnswerInTime(exchange, std::move(*body), *after);
  --answering_;
}

io::Task<void> SearchAnswers::AnswerInTime(http::Exchange& exchange, std::string body,
                                           std::optional<uint64_t> after) {
  auto query = ReadLogQuery(body);
  if (!query) {
    metrics_.refused_searches().Add();
    co_return co_await Refuse(exchange, query.error());
  }
  const LogOrder order = query->order;
  auto page = co_await Search(std::move(*query), after);
  if (!page) {
    const bool refused = page.error().code == Errc::kUnavailable;
    (refused ? metrics_.refused_searches() : metrics_.failed_searches()).Add();
    co_return co_await Refuse(exchange, page.error());
  }
  metrics_.searches().Add();
  NoteDamage(*page);
  const std::string json = ToJson(*page, order);
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", "application/json");
  (void)co_await exchange.Respond({.fields = fields}, AsBytes(json));
}

io::Task<Result<LogPage>> SearchAnswers::Search(LogQuery query, std::optional<uint64_t> after) {
  if (store_ != nullptr && after) {
    auto waited = co_await store_->AwaitEntry(*after, loop_.After(kMaxFollowWait));
    if (!waited && waited.error().code != Errc::kTimeout) co_return Fail(waited.error());
  }
  const TimePoint deadline = loop_.After(kSearchTimeout);
  // An entry wakes all followers at once.
  while (searching_ >= kMaxSearches) {
    Result<void> waited = co_await search_ended_.Wait(deadline);
    if (!waited) co_return Fail(Errc::kUnavailable, "too many search the log store");
  }
  // It may have been closed meanwhile.
  if (store_ == nullptr) {
    co_return Fail(Errc::kUnavailable, "the log store cannot be searched: {}", problem_);
  }
  ++searching_;
  auto page = co_await store_->Search(std::move(query), deadline);
  --searching_;
  search_ended_.WakeOne();
  co_return page;
}

void SearchAnswers::NoteDamage(const LogPage& page) {
  if (page.problems.empty()) {
    damage_.clear();
    return;
  }
  damage_ = fmt::format("lines cannot be read: {}", page.problems.front());
  if (page.problems.size() > 1) {
    damage_ += fmt::format(" (and {} more)", page.problems.size() - 1);
  }
}

}  // namespace meridian::watch
