// meridian alerts: what fires in all data centers.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/alerts/alert_answer.hpp"
#include "cli/alerts/alert_list.hpp"
#include "cli/alerts/alert_text.hpp"
#include "cli/alerts/limits.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "http/client/fetch.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/load/diagnostics.hpp"
#include "site/site.hpp"
#include "site/tier_description.hpp"

namespace meridian::cli {
namespace {

struct AlertOptions {
  std::string data_center;
  bool json = false;
  std::string state_directory = ".meridian";
};

io::Task<void> AskInto(io::Loop& loop, io::SystemNetwork& network, const Deployed& deployed,
                       const site::DataCenter& dc, Result<AlertAnswer>& into) {
  auto answer = co_await CallAgentOn(loop, network, deployed, dc,
                                     {.method = "GET",
                                      .path = "/prometheus/api/v1/alerts",
                                      .timeout = kAlertWait,
                                      .max_answer_bytes = kMaxAlertAnswerBytes});
  if (!answer) {
    into = Fail(answer.error().code, "its agent does not answer ({})", answer.error().message);
  } else if (answer->status != 200) {
    into = Fail(Errc::kUnavailable, "its Prometheus does not answer (status {}: {})",
                answer->status, OneLine(answer->body.substr(0, answer->body.find('\n'))));
  } else {
    into = ReadAlertAnswer(answer->body);
    if (!into) into = Fail(into.error().code, "its answer is wrong: {}", into.error().message);
  }
}

io::Task<void> AskAll(io::Loop& loop, io::SystemNetwork& network, const Deployed& deployed,
                      const std::vector<const site::DataCenter*>& data_centers, AlertList& list) {
  std::vector<Result<AlertAnswer>> answers(data_centers.size());
  io::Scope asking(loop);
  for (size_t i = 0; i < data_centers.size(); ++i) {
    asking.Spawn(AskInto(loop, network, deployed, *data_centers[i], answers[i]));
  }
  co_await asking.Join();
  for (size_t i = 0; i < data_centers.size(); ++i) {
    const std::string& name = data_centers[i]->name;
    if (answers[i]) list.Add(name, std::move(*answers[i]));
    if (!answers[i]) list.AddGap(name, answers[i].error().message);
  }
}

int Show(const Deployed& deployed, const std::vector<const site::DataCenter*>& data_centers,
         bool json) {
  io::EpollDriver driver;
  io::Loop loop(driver);
  io::SystemNetwork network(driver);
  AlertList list;
  loop.RunToEnd(AskAll(loop, network, deployed, data_centers, list));
  AlertTextOptions options{.now = SystemClock().Wall(), .colours = site::WantsColor(STDOUT_FILENO)};
  for (const site::DataCenter* each : data_centers) {
    const bool missing =
        std::ranges::find(list.gaps(), each->name, &AlertGap::data_center) != list.gaps().end();
    if (!missing) options.asked.push_back(each->name);
  }
  if (!Print(json ? AlertJson(list) : AlertText(list, options))) return kFailed;
  for (const AlertGap& gap : list.gaps()) {
    fmt::print(stderr, "meridian: {}: {}\n", gap.data_center, gap.problem);
  }
  return list.firing() || !list.gaps().empty() ? kFailed : kDone;
}

int Run(const AlertOptions& options) {
  auto deployed = FindDeployed(options.state_directory);
  if (!deployed) return deployed.error();
  const site::Site& site = deployed->site;
  const bool known =
      options.data_center.empty() || site.FindDataCenter(options.data_center) != nullptr;
  if (!known) return UnknownDataCenter(site, options.data_center);
  if (std::ranges::find(site.tiers, "watch", &site::TierDescription::name) == site.tiers.end()) {
    return Complain({Errc::kUnavailable, "nothing is watched: add a table [watch] to " +
                                             site.file.string() + ", and start the site again"});
  }
  if (auto external = site.externals.find("watch"); external != site.externals.end()) {
    return Complain(
        {Errc::kUnavailable, "the alerts of this site are those of its own Prometheus, " +
                                 external->second.shown + " ([watch] external)"});
  }
  std::vector<const site::DataCenter*> data_centers;
  for (const site::DataCenter& each : site.datacenters) {
    const bool wanted = options.data_center.empty() || options.data_center == each.name;
    if (wanted && !each.edge_only) data_centers.push_back(&each);
  }
  if (data_centers.empty()) {
    (void)Complain({Errc::kInvalid, options.data_center +
                                        " is an edge place, which has no alerts of its own; the "
                                        "data centers tell when it is down"});
    return kMisused;
  }
  return Show(*deployed, data_centers, options.json);
}

}  // namespace

void AddAlerts(Command& program) {
  auto options = std::make_shared<AlertOptions>();
  Command& command =
      program.AddCommand("alerts", "What is wrong in all data centers, by their alert rules");
  command.AddOption({.name = "--dc",
                     .value = &options->data_center,
                     .help = "Of this data center",
                     .type = "NAME"});
  command.AddOption({.name = "--json", .value = &options->json, .help = "As JSON"});
  AddStateOption(command, options->state_directory);
  command.footer =
      "What fires comes first, then what is pending: its condition holds, but not yet for long\n"
      "enough. Exit status: 0 if nothing fires; 1 if something does, or if a data center could "
      "not\n"
      "be asked, which is named on standard error; 2 if the command line is wrong.";
  command.action = [options] { return Run(*options); };
}

}  // namespace meridian::cli
