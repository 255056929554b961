#include "cli/alerts/engine_call.hpp"

#include <algorithm>
#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/alerts/alert_answer.hpp"
#include "cli/alerts/limits.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "http/client/fetch.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/site.hpp"
#include "site/tier_description.hpp"

namespace meridian::cli {
namespace {

io::Task<void> CallInto(io::Loop& loop, io::SystemNetwork& network, const Deployed& deployed,
                        const EngineCall& call, Result<std::string>& into) {
  auto answer = co_await CallAgentOn(loop, network, deployed, *call.data_center,
                                     {.method = call.method,
                                      .path = call.path,
                                      .body = call.body,
                                      .content_type = call.body.empty() ? "" : "application/json",
                                      .timeout = kAlertWait,
                                      .max_answer_bytes = kMaxAlertAnswerBytes});
  if (!answer) {
    into = Fail(Errc::kNotFound, "its agent does not answer ({})", answer.error().message);
  } else if (answer->status != 200) {
    into = Fail(Errc::kUnavailable, "its {} does not answer (status {}: {})", call.engine,
                answer->status, OneLine(answer->body.substr(0, answer->body.find('\n'))));
  } else {
    into = std::move(answer->body);
  }
}

io::Task<void> CallAll(io::Loop& loop, io::SystemNetwork& network, const Deployed& deployed,
                       std::span<const EngineCall> calls,
                       std::vector<Result<std::string>>& answers) {
  io::Scope scope(loop);
  for (size_t i = 0; i < calls.size(); ++i) {
    scope.Spawn(CallInto(loop, network, deployed, calls[i], answers[i]));
  }
  co_await scope.Join();
}

}  // namespace

std::vector<Result<std::string>> CallEngines(const Deployed& deployed,
                                             std::span<const EngineCall> calls) {
  io::EpollDriver driver;
  io::Loop loop(driver);
  io::SystemNetwork network(driver);
  std::vector<Result<std::string>> answers(calls.size());
  loop.RunToEnd(CallAll(loop, network, deployed, calls, answers));
  return answers;
}

std::expected<WatchedSite, int> FindWatchedSite(const std::string& state_directory,
                                                const std::string& data_center) {
  auto deployed = FindDeployed(state_directory);
  if (!deployed) return std::unexpected(deployed.error());
  WatchedSite found{.deployed = std::move(*deployed), .data_centers = {}};
  const site::Site& site = found.deployed.site;
  const site::DataCenter* only = data_center.empty() ? nullptr : site.FindDataCenter(data_center);
  if (!data_center.empty() && only == nullptr) {
    return std::unexpected(UnknownDataCenter(site, data_center));
  }
  if (std::ranges::find(site.tiers, "watch", &site::TierDescription::name) == site.tiers.end()) {
    return std::unexpected(
        Complain({Errc::kUnavailable, "nothing is watched: add a table [watch] to " +
                                          site.file.string() + ", and start the site again"}));
  }
  if (auto external = site.externals.find("watch"); external != site.externals.end()) {
    return std::unexpected(
        Complain({Errc::kUnavailable, "the alerts of this site are those of its own Prometheus, " +
                                          external->second.shown + " ([watch] external)"}));
  }
  if (only != nullptr && only->edge_only) {
    (void)Complain({Errc::kInvalid, data_center +
                                        " is an edge place, which has no alerts of its own; the "
                                        "data centers tell when it is down"});
    return std::unexpected(kMisused);
  }
  for (const site::DataCenter& each : site.datacenters) {
    const bool wanted = only == nullptr ? !each.edge_only : &each == only;
    if (wanted) found.data_centers.push_back(each);
  }
  return found;
}

}  // namespace meridian::cli
