// meridian logs: searches the logs of all data centers, and follows them.
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/logs/limits.hpp"
#include "cli/logs/log_data_centers.hpp"
#include "cli/logs/log_options.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/task.hpp"
#include "site/site.hpp"
#include "site/tier_description.hpp"
#include "watch/log/search/log_query.hpp"

namespace meridian::cli {
namespace {

io::Task<int> Ask(LogDataCenters& logs, const watch::LogQuery& query, bool follow) {
  const int shown = co_await logs.Show(query);
  if (!follow || shown != kDone) co_return shown;
  co_return co_await logs.Follow(query);
}

int Run(const LogOptions& options) {
  auto query = QueryOf(options, SystemClock().Wall());
  if (!query) {
    Complain(query.error());
    return kMisused;
  }
  auto deployed = FindDeployed(options.state_directory);
  if (!deployed) return deployed.error();
  const site::Site& site = deployed->site;
  bool has_watch = false;
  for (const site::TierDescription& tier : site.tiers) has_watch |= tier.name == "watch";
  if (!has_watch) {
    return Complain({Errc::kUnavailable, "no lines are kept: add a table [watch] to " +
                                             site.file.string() + ", and start the site again"});
  }
  std::vector<const site::DataCenter*> data_centers;
  for (const site::DataCenter& each : site.datacenters) {
    const bool wanted = options.data_center.empty() || options.data_center == each.name;
    if (wanted && !each.edge_only) data_centers.push_back(&each);
  }
  if (data_centers.empty()) {
    if (site.FindDataCenter(options.data_center) == nullptr) {
      return UnknownDataCenter(site, options.data_center);
    }
    return Complain(
        {Errc::kInvalid, options.data_center + " is an edge place, where no lines are kept"});
  }
  io::EpollDriver driver;
  io::Loop loop(driver);
  io::SystemNetwork network(driver);
  LogDataCenters logs(loop, network, *deployed, options, data_centers);
  return loop.RunToEnd(Ask(logs, *query, options.follow));
}

}  // namespace

void AddLogs(Command& program) {
  auto options = std::make_shared<LogOptions>();
  Command& command = program.AddCommand(
      "logs", "The lines of the application, the workers and Meridian, of all data centers");
  command.AddOption({.name = "words",
                     .value = &options->words,
                     .help = "What a line must have: all of these words, ids or addresses",
                     .type = "WORDS"});
  Option& follow = command.AddOption({.name = "--follow",
                                      .value = &options->follow,
                                      .help = "Show new lines as they come, until Ctrl-C",
                                      .short_name = "-f"});
  command.AddOption({.name = "--dc",
                     .value = &options->data_center,
                     .help = "Of this data center",
                     .type = "NAME"});
  command.AddOption({.name = "--tier",
                     .value = &options->tier,
                     .help = "Of this kind of process: app, worker, a tier (edge, dns, ...), "
                             "agent, guard or lab",
                     .type = "NAME"});
  command.AddOption({.name = "--instance",
                     .value = &options->instance,
                     .help = "Of this instance, as meridian status names it",
                     .type = "ID"});
  command.AddOption({.name = "--since",
                     .value = &options->since,
                     .help = "From then on: how long ago, 10m, or a time, 2026-11-30T10:00:00Z",
                     .type = "TIME"});
  command.AddOption({.name = "--until",
                     .value = &options->until,
                     .help = "Before then, as --since",
                     .type = "TIME",
                     .excludes = {&follow}});
  command.AddOption({.name = "--level",
                     .value = &options->level,
                     .help = "Of this level or a worse one",
                     .one_of = {"trace", "debug", "info", "warning", "error", "fatal"}});
  command.AddOption({.name = "--trace",
                     .value = &options->trace_id,
                     .help = "Of the request with this trace id",
                     .type = "ID"});
  command.AddOption(
      {.name = "--count",
       .value = &options->count,
       .help = "The newest so many lines",
       .type = "NUMBER",
       .default_text = fmt::format("{}; {} before new ones", kShownLogLines, kFollowedLogLines),
       .range = Option::Range{.min = 1, .max = kMaxShownLogLines}});
  command.AddOption(
      {.name = "--json", .value = &options->json, .help = "As JSON, an object for each line"});
  AddStateOption(command, options->state_directory);
  command.footer =
      "The agents of all data centers are asked at the same time, and the lines are shown in the\n"
      "order of their times. A data center that does not answer is named on standard error; its\n"
      "lines are those of the newest copy that another one keeps. Exit status: 1 when none\n"
      "answers.";
  command.action = [options] { return Run(*options); };
}

}  // namespace meridian::cli
