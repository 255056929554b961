#include "cli/logs/log_data_centers.hpp"

#include <algorithm>
#include <chrono>
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
#include "cli/queue/offset_target.hpp"
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

constexpr const char* kPath = "/.meridian/logs";

std::string CopyPath(const site::DataCenter& of) {
  return fmt::format("{}?copy={}", kPath, of.name);
}

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
  if (of.copy_at != nullptr) {
    co_return co_await AskAt(*of.copy_at, CopyPath(*of.described), query, false);
  }
  const std::string path = after ? fmt::format("{}?after={}", kPath, *after) : kPath;
  co_return co_await AskAt(*of.described, path, query, after.has_value());
}

io::Task<Result<LogPage>> LogDataCenters::AskAt(const site::DataCenter& at, std::string path,
                                                const LogQuery& query, bool follows) {
  const std::string body = watch::ToJson(query);
  auto answer = co_await CallAgentOn(loop_, network_, deployed_, at,
                                     {.path = path,
                                      .body = body,
                                      .timeout = follows ? kLogFollowWait : kLogSearchWait,
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

io::Task<void> LogDataCenters::AskAtInto(Copy& copy, std::string path, LogQuery query) {
  copy.page = co_await AskAt(*copy.at, std::move(path), query, false);
}

io::Task<Result<LogPage>> LogDataCenters::AskCopies(DataCenter& of, const LogQuery& query) {
  std::vector<Copy> copies;
  for (const site::DataCenter& each : deployed_.site.datacenters) {
    const auto asked = std::ranges::find(data_centers_, &each, &DataCenter::described);
    const bool missing = asked != data_centers_.end() && !asked->answered;
    if (!each.edge_only && !missing && &each != of.described) copies.push_back({.at = &each});
  }
  io::Scope asking(loop_);
  for (Copy& copy : copies) asking.Spawn(AskAtInto(copy, CopyPath(*of.described), query));
  co_await asking.Join();
  Copy* newest = nullptr;
  for (Copy& copy : copies) {
    if (!*copy.page || !(*copy.page)->copied_until) continue;
    if (newest == nullptr || (*copy.page)->copied_until > (*newest->page)->copied_until) {
      newest = &copy;
    }
  }
  if (newest == nullptr) co_return Fail(Errc::kNotFound, "nobody keeps a copy of its lines");
  of.copy_at = newest->at;
  co_return std::move(**newest->page);
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

io::Task<void> LogDataCenters::AskWanted(watch::LogMerge& merge) {
  const std::vector<size_t> wanted = merge.Wanted();
  std::vector<std::optional<Result<LogPage>>> pages(wanted.size());
  io::Scope asking(loop_);
  for (size_t i = 0; i < wanted.size(); ++i) {
    asking.Spawn(AskInto(data_centers_[wanted[i]], merge.QueryOf(wanted[i]), pages[i]));
  }
  co_await asking.Join();
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!*pages[i]) continue;
    DataCenter& of = data_centers_[wanted[i]];
    if (of.copy_at == nullptr) {
      TellAnswer(of, **pages[i]);
      if (!of.end_sequence) of.end_sequence = (*pages[i])->end_sequence;
    }
    Result<void> put = merge.Put(wanted[i], std::move(**pages[i]));
    if (!put) TellProblem(of, put.error().message);
  }
  // Those that answered may have copies of the others' lines.
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!*pages[i]) co_await PutCopy(merge, wanted[i], std::move(pages[i]->error()));
  }
}

io::Task<void> LogDataCenters::PutCopy(watch::LogMerge& merge, size_t source, Error missing) {
  DataCenter& of = data_centers_[source];
  const LogQuery query = merge.QueryOf(source);
  std::string text = missing.message;
  // Pages of its own and of a copy have nothing in common but the times.
  if (!query.after && of.copy_at == nullptr) {
    auto page = co_await AskCopies(of, query);
    if (page) {
      const auto until = std::chrono::floor<std::chrono::milliseconds>(*page->copied_until);
      text += fmt::format("; its lines are copies that {} keeps, up to {}", of.copy_at->name,
                          TimeText(until.time_since_epoch().count()));
      if (!page->problems.empty()) text += "; lines of the copy cannot be read";
      Result<void> put = merge.Put(source, std::move(*page));
      if (!put) text = put.error().message;
      co_return TellProblem(of, text);
    }
  }
  merge.Remove(source);
  TellProblem(of, text);
}

io::Task<int> LogDataCenters::Show(const LogQuery& query) {
  const uint64_t usual = options_.follow ? kFollowedLogLines : kShownLogLines;
  const uint64_t count = options_.count > 0 ? options_.count : usual;
  watch::LogMerge merge(query, data_centers_.size(), count);
  std::vector<watch::LogEntry> found;
  size_t held_bytes = 0;
  while (!merge.done() && held_bytes < kMaxHeldLogBytes) {
    co_await AskWanted(merge);
    for (watch::MergedEntry& each : merge.Take()) {
      held_bytes += BytesOf(each.entry);
      // What came during the search is left to the follower.
      const DataCenter& of = data_centers_[each.source];
      const bool is_later = of.end_sequence && each.entry.sequence >= *of.end_sequence;
      if (options_.follow && of.copy_at == nullptr && is_later) continue;
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
  const bool answered = std::ranges::any_of(data_centers_, [](const DataCenter& each) {
    return each.answered || each.copy_at != nullptr;
  });
  co_return answered ? kDone : kFailed;
}

io::Task<int> LogDataCenters::Follow(const LogQuery& query) {
  io::Scope following(loop_);
  const watch::LogTime now = watch::ToLogTime(loop_.Wall());
  for (DataCenter& each : data_centers_) {
    each.copy_at = nullptr;  // a copy grows no more; its own lines come when it is back
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
