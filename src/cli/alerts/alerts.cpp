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
#include "cli/alerts/alert_answer.hpp"
#include "cli/alerts/alert_list.hpp"
#include "cli/alerts/alert_text.hpp"
#include "cli/alerts/engine_call.hpp"
#include "cli/alerts/silence_answer.hpp"
#include "cli/alerts/silence_commands.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "site/load/diagnostics.hpp"
#include "site/site.hpp"

namespace meridian::cli {
namespace {

struct AlertOptions {
  std::string data_center;
  bool json = false;
  std::string state_directory = ".meridian";
};

// The Prometheus of each data center, and then the Alertmanager of each.
std::vector<Result<std::string>> Ask(const WatchedSite& watched) {
  std::vector<EngineCall> calls;
  for (const site::DataCenter& each : watched.data_centers) {
    calls.push_back(
        {.data_center = &each, .engine = "Prometheus", .path = "/prometheus/api/v1/alerts"});
  }
  for (const site::DataCenter& each : watched.data_centers) {
    calls.push_back(
        {.data_center = &each, .engine = "Alertmanager", .path = "/alertmanager/api/v2/alerts"});
  }
  return CallEngines(watched.deployed, calls);
}

// The alerts that Prometheus tells, those marked that its Alertmanager silences.
void Add(const std::string& data_center, const Result<std::string>& prometheus,
         const Result<std::string>& alertmanager, AlertList* list) {
  if (!prometheus) return list->AddGap(data_center, prometheus.error().message);
  Result<AlertAnswer> answer = ReadAlertAnswer(*prometheus);
  if (!answer) return list->AddGap(data_center, "its answer is wrong: " + answer.error().message);
  std::string problem = alertmanager ? "" : alertmanager.error().message;
  if (alertmanager) {
    Result<void> marked = MarkSilenced(*alertmanager, &*answer);
    if (!marked) problem = "the answer of its Alertmanager is wrong: " + marked.error().message;
  }
  list->Add(data_center, std::move(*answer));
  if (problem.empty()) return;
  list->AddGap(data_center, problem +
                                ": perhaps nobody is notified from there, and what is "
                                "silenced is not known");
}

int Run(const AlertOptions& options) {
  auto watched = FindWatchedSite(options.state_directory, options.data_center);
  if (!watched) return watched.error();
  const std::vector<Result<std::string>> answers = Ask(*watched);
  const size_t count = watched->data_centers.size();
  AlertList list;
  AlertTextOptions shown{.now = SystemClock().Wall(), .colours = site::WantsColor(STDOUT_FILENO)};
  for (size_t i = 0; i < count; ++i) {
    const std::string& name = watched->data_centers[i].name;
    Add(name, answers[i], answers[count + i], &list);
    if (std::ranges::find(list.gaps(), name, &AlertGap::data_center) == list.gaps().end()) {
      shown.asked.push_back(name);
    }
  }
  if (!Print(options.json ? AlertJson(list) : AlertText(list, shown))) return kFailed;
  for (const AlertGap& gap : list.gaps()) {
    fmt::print(stderr, "meridian: {}: {}\n", gap.data_center, gap.problem);
  }
  return list.firing() || !list.gaps().empty() ? kFailed : kDone;
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
  AddSilenceCommands(command);
  command.action = [options] { return Run(*options); };
}

}  // namespace meridian::cli
