// SearchAnswers: answers requests for pages of the log: POST kLogSearchPath with a LogQuery as JSON
// (log/remote/search_message.hpp), answered with a LogPage.
//
//   POST /logs/search             the next page of the query, at once
//   POST /logs/search?after=17    the same, as soon as there is an entry with a sequence of 17 or
//                                 more, or after kMaxFollowWait: for a follower, with the `end` of
//                                 its last page
//
// 400: not a query. 413: past a limit of queries. 503: not now (the store is not open, or too many
// ask), with the reason as text.
//
// Owned by the tier; one thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "http/exchange.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "watch/metrics.hpp"

namespace meridian::watch {

class LogStore;
struct LogQuery;
struct LogPage;

// The sequence of `after=SEQUENCE`; nothing: no query. kInvalid: another query.
Result<std::optional<uint64_t>> ReadFollowedSequence(std::optional<std::string_view> query);

class SearchAnswers {
 public:
  SearchAnswers(io::Loop& loop, WatchMetrics& metrics) : loop_(loop), metrics_(metrics) {}

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
  io::Task<Result<LogPage>> Search(LogQuery query, std::optional<uint64_t> after);
  io::Task<void> AnswerInTime(http::Exchange& exchange, std::string body,
                              std::optional<uint64_t> after);
  void NoteDamage(const LogPage& page);

  io::Loop& loop_;
  WatchMetrics& metrics_;
  LogStore* store_ = nullptr;
  std::string problem_ = "it is not open yet";
  std::string damage_;
  size_t answering_ = 0;
  size_t searching_ = 0;
  io::WaitQueue search_ended_;
};

}  // namespace meridian::watch
