// SearchAnswers: answers requests for pages of the log: POST kLogSearchPath with a LogQuery as JSON
// (log/remote/search_message.hpp), answered with a LogPage.
//
//   POST /logs/search             the next page of the query, at once
//   POST /logs/search?after=17    the same, as soon as there is an entry with a sequence of 17 or
//                                 more, or after kMaxFollowWait: for a follower, with the `end` of
//                                 its last page
//   POST /logs/search?copy=NAME   the next page of the copy that this tier keeps of another data
//                                 center's lines; its `copied_until` says up to when it is whole
//
// 400: not a query. 404: there is no such copy. 413: past a limit of queries. 503: not now (the
// store is not open, or too many ask), with the reason as text.
//
// Owned by the tier; one thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "watch/metrics.hpp"

namespace meridian::watch {

class LogCopy;
class LogStore;
struct LogQuery;
struct LogPage;

struct SearchTarget {
  std::optional<uint64_t> after;  // the sequence of `after=SEQUENCE`
  std::string copy;               // the data center of `copy=NAME`; empty: this one's own lines
};

// kInvalid: another query.
Result<SearchTarget> ReadSearchTarget(std::optional<std::string_view> query);

class SearchAnswers {
 public:
  // `find_copy`: the copy of a data center's lines, or null.
  using FindCopy = std::function<LogCopy*(std::string_view data_center)>;
  SearchAnswers(io::Loop& loop, WatchMetrics& metrics, FindCopy find_copy)
      : loop_(loop), metrics_(metrics), find_copy_(std::move(find_copy)) {}

  // Searches until Close.
  void Open(LogStore& store) { store_ = &store; }
  void Close() { store_ = nullptr; }
  // Why there is no store; for those who ask.
  void SetProblem(std::string problem) { problem_ = std::move(problem); }

  // Answers a request whose sender has shown the password.
  io::Task<void> Answer(http::Exchange& exchange);

  // What the last page said of lines that could not be read; empty: nothing is missing.
  const std::string& damage() const { return damage_; }

 private:
  io::Task<Result<LogPage>> Search(LogQuery query, const SearchTarget& target);
  io::Task<Result<LogPage>> SearchCopy(LogQuery query, const std::string& data_center);
  io::Task<Result<void>> AwaitTurn(TimePoint deadline);
  io::Task<void> AnswerInTime(http::Exchange& exchange, std::string body, SearchTarget target);
  void NoteDamage(const LogPage& page);

  io::Loop& loop_;
  WatchMetrics& metrics_;
  FindCopy find_copy_;
  LogStore* store_ = nullptr;
  std::string problem_ = "it is not open yet";
  std::string damage_;
  size_t answering_ = 0;
  size_t searching_ = 0;
  io::WaitQueue search_ended_;
};

}  // namespace meridian::watch
