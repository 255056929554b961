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
#include "watch/copies/log_copy.hpp"
#include "watch/limits.hpp"
#include "watch/log/entry.hpp"
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
    case Errc::kNotFound:
      return 404;
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

Result<SearchTarget> ReadSearchTarget(std::optional<std::string_view> query) {
  constexpr std::string_view kAfter = "after=";
  constexpr std::string_view kCopy = "copy=";
  SearchTarget target;
  if (!query || query->empty()) return target;
  if (query->starts_with(kCopy) && query->size() > kCopy.size()) {
    target.copy = query->substr(kCopy.size());
    return target;
  }
  uint64_t sequence = 0;
  const char* end = query->data() + query->size();
  bool good = query->starts_with(kAfter);
  if (good) {
    auto parsed = std::from_chars(query->data() + kAfter.size(), end, sequence);
    good = parsed.ec == std::errc() && parsed.ptr == end;
  }
  if (!good) return Fail(Errc::kInvalid, "expected ?after=SEQUENCE or ?copy=DATA_CENTER");
  target.after = sequence;
  return target;
}

io::Task<void> SearchAnswers::Answer(http::Exchange& exchange) {
  auto target = ReadSearchTarget(exchange.request().query);
  if (!target) co_return co_await Refuse(exchange, target.error());
  auto body = co_await http::ReadWholeBody(exchange);
  if (!body) co_return;  // the server has answered the error
  if (answering_ >= kMaxPageRequests) {
    metrics_.refused_searches().Add();
    co_return co_await Refuse(exchange, {Errc::kUnavailable, "too many ask the log store"});
  }
  ++answering_;
  co_await AnswerInTime(exchange, std::move(*body), std::move(*target));
  --answering_;
}

io::Task<void> SearchAnswers::AnswerInTime(http::Exchange& exchange, std::string body,
                                           SearchTarget target) {
  auto query = ReadLogQuery(body);
  if (!query) {
    metrics_.refused_searches().Add();
    co_return co_await Refuse(exchange, query.error());
  }
  const LogOrder order = query->order;
  auto page = co_await Search(std::move(*query), target);
  if (!page) {
    const bool refused = page.error().code == Errc::kUnavailable;
    (refused ? metrics_.refused_searches() : metrics_.failed_searches()).Add();
    co_return co_await Refuse(exchange, page.error());
  }
  metrics_.searches().Add();
  if (target.copy.empty()) NoteDamage(*page);
  const std::string json = ToJson(*page, order);
  wire::http::HeaderFields fields;
  fields.Add("Content-Type", "application/json");
  (void)co_await exchange.Respond({.fields = fields}, AsBytes(json));
}

// An entry wakes all followers at once.
io::Task<Result<void>> SearchAnswers::AwaitTurn(TimePoint deadline) {
  while (searching_ >= kMaxAnsweredSearches) {
    Result<void> waited = co_await search_ended_.Wait(deadline);
    if (!waited) co_return Fail(Errc::kUnavailable, "too many search the log store");
  }
  co_return Result<void>{};
}

io::Task<Result<LogPage>> SearchAnswers::Search(LogQuery query, const SearchTarget& target) {
  if (!target.copy.empty()) co_return co_await SearchCopy(std::move(query), target.copy);
  if (store_ != nullptr && target.after) {
    auto waited = co_await store_->AwaitEntry(*target.after, loop_.After(kMaxFollowWait));
    if (!waited && waited.error().code != Errc::kTimeout) co_return Fail(waited.error());
  }
  const TimePoint deadline = loop_.After(kSearchTimeout);
  Result<void> turn = co_await AwaitTurn(deadline);
  if (!turn) co_return Fail(std::move(turn.error()));
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

io::Task<Result<LogPage>> SearchAnswers::SearchCopy(LogQuery query,
                                                    const std::string& data_center) {
  const TimePoint deadline = loop_.After(kSearchTimeout);
  Result<void> turn = co_await AwaitTurn(deadline);
  if (!turn) co_return Fail(std::move(turn.error()));
  LogCopy* copy = find_copy_(data_center);
  if (copy == nullptr) co_return Fail(Errc::kNotFound, "it keeps no copy of these lines");
  if (store_ == nullptr || copy->store() == nullptr) {
    co_return Fail(Errc::kUnavailable, "its copy is not open");
  }
  // Before the search: what it does not find has come later.
  const LogTime until = copy->status().until;
  if (until == LogTime{}) co_return Fail(Errc::kNotFound, "it has copied no lines yet");
  ++searching_;
  auto page = co_await copy->store()->Search(std::move(query), deadline);
  --searching_;
  search_ended_.WakeOne();
  if (page) page->copied_until = until;
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
