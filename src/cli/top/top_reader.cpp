#include "cli/top/top_reader.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "agent/limits.hpp"
#include "agent/report/status.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/command_line.hpp"
#include "cli/top/tier_figures.hpp"
#include "cli/top/top_text.hpp"
#include "http/client/fetch.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/site.hpp"
#include "wire/prom/text_reader.hpp"

namespace meridian::cli {
namespace {

// The samples of an answer, or why there are none.
Result<std::vector<wire::prom::Sample>> SamplesOf(const Result<http::Fetched>& answer) {
  if (!answer) return Fail(Errc::kUnavailable, "its agent does not answer");
  if (answer->status != 200) {
    return Fail(Errc::kUnavailable, "{}", answer->body.substr(0, answer->body.find('\n')));
  }
  auto samples = wire::prom::ReadText(answer->body);
  if (!samples) {
    return Fail(samples.error().code, "its metrics are wrong: {}", samples.error().message);
  }
  return samples;
}

}  // namespace

TopReader::TopReader(io::Loop& loop, io::SystemNetwork& network, const Deployed& deployed)
    : loop_(loop), network_(network), deployed_(deployed) {}

io::Task<std::vector<TopDataCenter>> TopReader::Read() {
  const std::vector<site::DataCenter>& all = deployed_.site.datacenters;
  std::vector<TopDataCenter> read(all.size());
  io::Scope asking(loop_);
  for (size_t i = 0; i < all.size(); ++i) asking.Spawn(ReadDataCenter(all[i], read[i]));
  co_await asking.Join();
  co_return read;
}

io::Task<void> TopReader::ReadDataCenter(const site::DataCenter& of, TopDataCenter& into) {
  into = {.name = of.name, .state = "down", .problem = ""};
  auto answer = co_await CallAgentOn(loop_, network_, deployed_, of,
                                     {.method = "GET", .path = "/.meridian/status"});
  if (!answer || answer->status != 200) {
    into.problem = answer ? fmt::format("its agent refused to say (status {})", answer->status)
                          : "its agent does not answer: " + answer.error().message;
    co_return;
  }
  auto status = agent::DecodeStatus(answer->body);
  if (!status) {
    into.problem = status.error().message;
    co_return;
  }
  into.state = status->state;
  into.problem = status->problem;
  for (const agent::TierStatus& tier : status->tiers) {
    into.tiers.push_back({.name = tier.name, .state = tier.state, .problem = ""});
  }
  io::Scope asking(loop_);
  for (TopTier& tier : into.tiers) {
    if (tier.state != "external") asking.Spawn(ReadTier(of, tier));
  }
  co_await asking.Join();
}

io::Task<void> TopReader::ReadTier(const site::DataCenter& of, TopTier& into) {
  const std::string path = "/.meridian/metrics/" + into.name;
  auto answer = co_await CallAgentOn(loop_, network_, deployed_, of,
                                     {.method = "GET",
                                      .path = path,
                                      .timeout = agent::kTierMetricsTimeout,
                                      .max_answer_bytes = agent::kMaxTierMetrics});
  const TimePoint now = loop_.Now();
  auto samples = SamplesOf(answer);
  if (!samples) {
    into.problem = samples.error().message;
    co_return;
  }
  Reading& before = before_[{of.name, into.name}];
  // Without a reading before, all is said of the lag alone.
  const bool first = before.at == TimePoint{};
  const double seconds = first ? 1 : Seconds(now - before.at);
  if (seconds <= 0) co_return;
  into.figures = FiguresOf(into.name, first ? *samples : before.samples, *samples, seconds);
  if (first) into.figures = {.lag_seconds = into.figures.lag_seconds};
  before = {.at = now, .samples = std::move(*samples)};
}

}  // namespace meridian::cli
