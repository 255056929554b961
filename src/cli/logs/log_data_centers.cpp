#include "cli/logs/log_data_centers.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/command_line.hpp"
#include "cli/logs/limits.hpp"
#include "cli/logs/log_options.hpp"
#include "cli/logs/log_text.hpp"
#include "http/client/fetch.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/load/diagnostics.hpp"
#include "site/site.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/remote/limits.hpp"
#include "watch/log/remote/log_merge.hpp"
#include "watch/log/remote/search_message.hpp"
#include "watch/log/search/log_query.hpp"
#include "watch/log/search/log_search.hpp"

namespace meridian::cli {
namespace {

using watch::LogPage;
using watch::LogQuery;

size_t BytesOf(const watch::LogEntry& entry) {
  return sizeof(entry) + entry.text.size() + entry.fields.size();
}

// The entries of one data center that a follower has not seen at `end`.
LogQuery FollowerOf(LogQuery query, std::optional<uint64_t> end_sequence, watch::LogTime now) {
  query.order = watch::LogOrder::kArrival;
  query.from.reset();
  // If the data center did not answer at first, its follower shows the lines from now on.
  if (!end_sequence) query.from = now;
  return query;
}

std::optional<watch::LogPosition> Before(uint64_t sequence) {
  if (sequence == 0) return std::nullopt;
  return watch::PositionOf({}, sequence - 1, watch::LogOrder::kArrival);
}

}  // namespace

LogDataCenters::LogDataCenters(io::Loop& loop, io::SystemNetwork& network, const Deployed& deployed,
                               const LogOptions& options,
                               const std::vector<const site::DataCenter*>& data_centers)
    : loop_(loop),
      network_(network),
      deployed_(deployed),
      options_(options),
      colours_(site::WantsColor(STDOUT_FILENO)) {
  for (const site::DataCenter* each : data_centers) data_centers_.push_back({.described = each});
}

std::string LogDataCenters::TextOf(const watch::LogEntry& entry) const {
  return options_.json ? LogLineJson(entry) : LogLineText(entry, colours_);
}

io::Task<Result<LogPage>> LogDataCenters::Ask(const DataCenter& of, const LogQuery& query,
                                              std::optional<uint64_t> after) {
  const std::string path =
      after ? fmt::format("/.meridian/logs?after={}", *after) : "/.meridian/logs";
  const std::string body = watch::ToJson(query);
  auto answer = co_await CallAgentOn(loop_, network_, deployed_, *of.described,
                                     {.path = path,
                                      .body = body,
                                      .timeout = after ? kLogFollowWait : kLogSearchWait,
                                      .max_answer_bytes = watch::kMaxPageMessageBytes});
  if (!answer) {
    co_return Fail(answer.error().code, "its agent does not answer ({})", answer.error().message);
  }
  if (answer->status != 200) {
    co_return Fail(Errc::kUnavailable, "{}", answer->body.substr(0, answer->body.find('\n')));
  }
  auto page = watch::ReadLogPage(answer->body);
  if (!page) co_return Fail(page.error().code, "its answer is wrong: {}", page.error().message);
  co_return std::move(*page);
}

io::Task<void> LogDataCenters::AskInto(DataCenter& of, LogQuery query,
                                       std::optional<Result<LogPage>>& into) {
  into = co_await Ask(of, query, std::nullopt);
}

void LogDataCenters::TellProblem(DataCenter& of, const std::string& problem) {
  if (of.problem == problem) return;
  of.problem = problem;
  fmt::print(stderr, "meridian: {} is missing: {}\n", of.described->name, problem);
}

void LogDataCenters::TellAnswer(DataCenter& of, const LogPage& page) {
  const bool was_missing = !of.problem.empty() && of.answered == false;
  of.answered = true;
  std::string problem = page.problems.empty() ? "" : page.problems.front();
  if (page.problems.size() > 1) problem += fmt::format(" (and {} more)", page.problems.size() - 1);
  if (!problem.empty() && problem != of.problem) {
    fmt::print(stderr, "meridian: {} may lack lines: {}\n", of.described->name, problem);
  } else if (problem.empty() && was_missing) {
    fmt::print(stderr, "meridian: {} answers\n", of.described->name);
  }
  of.problem = std::move(problem);
}

io::Task<int> LogDataCenters::Show(const LogQuery& query) {
  const uint64_t usual = options_.follow ? kFollowedLogLines : kShownLogLines;
  const uint64_t count = options_.count > 0 ? options_.count : usual;
  watch::LogMerge merge(query, data_centers_.size(), count);
  std::vector<watch::LogEntry> found;
  size_t held_bytes = 0;
  while (!merge.done() && held_bytes < kMaxHeldLogBytes) {
    const std::vector<size_t> wanted = merge.Wanted();
    std::vector<std::optional<Result<LogPage>>> pages(wanted.size());
    io::Scope asking(loop_);
    for (size_t i = 0; i < wanted.size(); ++i) {
      asking.Spawn(AskInto(data_centers_[wanted[i]], merge.QueryOf(wanted[i]), pages[i]));
    }
    co_await asking.Join();
    for (size_t i = 0; i < wanted.size(); ++i) {
      DataCenter& of = data_centers_[wanted[i]];
      Result<LogPage>& page = *pages[i];
      Result<void> put;
      if (page) {
        TellAnswer(of, *page);
        if (!of.end_sequence) of.end_sequence = page->end_sequence;
        put = merge.Put(wanted[i], std::move(*page));
      } else {
        put = Fail(std::move(page.error()));
        merge.Remove(wanted[i]);
      }
      if (!put) TellProblem(of, put.error().message);
    }
    for (watch::MergedEntry& each : merge.Take()) {
      held_bytes += BytesOf(each.entry);
      // What came during the search is left to the follower.
      if (options_.follow && each.entry.sequence >= data_centers_[each.source].end_sequence) {
        continue;
      }
      found.push_back(std::move(each.entry));
    }
  }
  std::string text;
  for (auto entry = found.rbegin(); entry != found.rend(); ++entry) text += TextOf(*entry);
  if (!Print(text)) co_return kFailed;
  if (merge.has_more() && !options_.follow) {
    fmt::print(stderr, "meridian: these are the newest {} lines; older ones: --count, --until\n",
               found.size());
  }
  const bool answered = std::ranges::any_of(data_centers_, &DataCenter::answered);
  co_return answered ? kDone : kFailed;
}

io::Task<int> LogDataCenters::Follow(const LogQuery& query) {
  io::Scope following(loop_);
  const watch::LogTime now = watch::ToLogTime(loop_.Wall());
  for (DataCenter& each : data_centers_) {
    if (each.end_sequence) each.position = Before(*each.end_sequence);
    following.Spawn(FollowOne(each, FollowerOf(query, each.end_sequence, now)));
  }
  co_await following.Join();
  co_return can_print_ ? kDone : kFailed;
}

io::Task<void> LogDataCenters::FollowOne(DataCenter& of, LogQuery query) {
  bool waits = true;
  while (can_print_) {
    query.after = of.position;
    auto page = co_await Ask(of, query, waits ? of.end_sequence : std::nullopt);
    Duration pause = kLogFollowPause;
    if (!page) {
      of.answered = false;
      TellProblem(of, page.error().message);
      pause = kLogRetryPause;
    } else {
      TellAnswer(of, *page);
      // Behind the end it waits; before it, there are more pages.
      waits = !page->next;
      of.position = page->next ? page->next : Before(page->end_sequence);
      of.end_sequence = page->end_sequence;
      query.from.reset();  // from now on its position says where it goes on
      if (!PrintPage(std::move(*page))) co_return;
    }
    if (!co_await io::Sleep(pause)) co_return;
  }
}

Result<void> LogDataCenters::PrintPage(LogPage page) {
  std::ranges::sort(page.entries, {}, [](const watch::LogEntry& entry) {
    return std::pair(entry.time, entry.sequence);
  });
  std::string text;
  for (const watch::LogEntry& entry : page.entries) text += TextOf(entry);
  if (text.empty()) return {};
  Result<void> printed = Print(text);
  can_print_ = can_print_ && printed;
  return printed;
}

}  // namespace meridian::cli
