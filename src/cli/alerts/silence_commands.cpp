// meridian alerts silence, silences, unsilence: keeps Alertmanagers from sending notices of an
// alert. Alerts of the whole site have one data center that notifies, and another one when that is
// lost; so all are told, unless --dc names one.
#include "cli/alerts/silence_commands.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/alerts/alert_answer.hpp"
#include "cli/alerts/alert_list.hpp"
#include "cli/alerts/engine_call.hpp"
#include "cli/alerts/limits.hpp"
#include "cli/alerts/silence_answer.hpp"
#include "cli/alerts/silence_text.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/offset_target.hpp"
#include "site/load/duration_text.hpp"
#include "site/site.hpp"

namespace meridian::cli {
namespace {

constexpr const char* kAlertmanager = "Alertmanager";
constexpr const char* kSilences = "/alertmanager/api/v2/silences";

struct SilenceOptions {
  std::string alert;
  std::string duration = "2h";
  std::string comment = "by meridian alerts silence";
  std::string data_center;
  bool json = false;
  std::string state_directory = ".meridian";
};

int64_t Milliseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

int Misused(const std::string& problem) {
  (void)Complain({Errc::kInvalid, problem});
  return kMisused;
}

// Prints why a data center did not do it; kFailed if there is one.
int TellGaps(const std::vector<AlertGap>& gaps) {
  for (const AlertGap& gap : gaps) {
    fmt::print(stderr, "meridian: {}: {}\n", gap.data_center, gap.problem);
  }
  return gaps.empty() ? kDone : kFailed;
}

// The data centers that did what they were told, each once; for the others it adds a gap.
std::vector<std::string> WhoDidIt(const std::vector<EngineCall>& calls,
                                  const std::vector<Result<std::string>>& answers,
                                  std::vector<AlertGap>* gaps) {
  std::vector<std::string> told;
  for (size_t i = 0; i < calls.size(); ++i) {
    const std::string& name = calls[i].data_center->name;
    if (!answers[i]) gaps->push_back({.data_center = name, .problem = answers[i].error().message});
    if (answers[i] && (told.empty() || told.back() != name)) told.push_back(name);
  }
  return told;
}

std::vector<DataCenterSilences> AskSilences(const WatchedSite& watched,
                                            std::vector<AlertGap>* gaps) {
  std::vector<EngineCall> calls;
  for (const site::DataCenter& each : watched.data_centers) {
    calls.push_back({.data_center = &each, .engine = kAlertmanager, .path = kSilences});
  }
  const auto answers = CallEngines(watched.deployed, calls);
  std::vector<DataCenterSilences> all;
  for (size_t i = 0; i < answers.size(); ++i) {
    const std::string& name = watched.data_centers[i].name;
    Result<std::vector<Silence>> silences;
    if (answers[i]) silences = ReadSilences(*answers[i]);
    if (!answers[i]) silences = Fail(answers[i].error());
    if (silences) all.push_back({.data_center = name, .silences = std::move(*silences)});
    if (!silences) gaps->push_back({.data_center = name, .problem = silences.error().message});
  }
  return all;
}

int MakeSilence(const SilenceOptions& options) {
  auto duration = site::ParseDuration(options.duration);
  if (!duration) return Misused("--for: " + duration.error().message);
  if (*duration <= Duration::zero() || *duration > kMaxSilence) {
    return Misused("--for: more than nothing, and at most " + site::DurationText(kMaxSilence));
  }
  if (options.comment.empty() || options.comment.size() > kMaxSilenceCommentBytes) {
    return Misused(fmt::format("--comment: 1 to {} bytes", kMaxSilenceCommentBytes));
  }
  if (!IsAlertName(options.alert)) {
    return Misused("no alert has such a name; see: meridian alerts");
  }
  auto watched = FindWatchedSite(options.state_directory, options.data_center);
  if (!watched) return watched.error();
  const WallTime now = SystemClock().Wall();
  const std::string body = ToJson({.alert = options.alert,
                                   .comment = options.comment,
                                   .starts_ms = Milliseconds(now),
                                   .ends_ms = Milliseconds(now + *duration)});
  std::vector<EngineCall> calls;
  for (const site::DataCenter& each : watched->data_centers) {
    calls.push_back({.data_center = &each,
                     .engine = kAlertmanager,
                     .method = "POST",
                     .path = kSilences,
                     .body = body});
  }
  const auto answers = CallEngines(watched->deployed, calls);
  std::vector<AlertGap> gaps;
  const std::vector<std::string> told = WhoDidIt(calls, answers, &gaps);
  if (!told.empty() &&
      !Print(fmt::format("{} is silenced until {} in {}. To end that: meridian alerts unsilence "
                         "{}\n",
                         options.alert, TimeText(Milliseconds(now + *duration)),
                         fmt::join(told, ", "), options.alert))) {
    return kFailed;
  }
  return TellGaps(gaps);
}

int ShowSilences(const SilenceOptions& options) {
  auto watched = FindWatchedSite(options.state_directory, options.data_center);
  if (!watched) return watched.error();
  std::vector<AlertGap> gaps;
  const auto all = AskSilences(*watched, &gaps);
  if (!Print(options.json ? SilencesJson(all, gaps) : SilencesText(all))) return kFailed;
  return TellGaps(gaps);
}

int Unsilence(const SilenceOptions& options) {
  // Silences with other matchers have an empty name.
  if (!IsAlertName(options.alert)) {
    return Misused("no alert has such a name; see: meridian alerts silences");
  }
  auto watched = FindWatchedSite(options.state_directory, options.data_center);
  if (!watched) return watched.error();
  std::vector<AlertGap> gaps;
  std::vector<EngineCall> calls;
  for (const DataCenterSilences& of : AskSilences(*watched, &gaps)) {
    auto dc = std::ranges::find(watched->data_centers, of.data_center, &site::DataCenter::name);
    for (const Silence& each : of.silences) {
      if (each.alert != options.alert || !IsSilenceId(each.id)) continue;
      calls.push_back({.data_center = &*dc,
                       .engine = kAlertmanager,
                       .method = "DELETE",
                       .path = "/alertmanager/api/v2/silence/" + each.id});
    }
  }
  if (calls.empty()) {
    (void)TellGaps(gaps);
    return Complain({Errc::kNotFound, "no silence is for " + OneLine(options.alert) +
                                          " alone; see: meridian alerts silences"});
  }
  const auto answers = CallEngines(watched->deployed, calls);
  const std::vector<std::string> told = WhoDidIt(calls, answers, &gaps);
  if (!told.empty() &&
      !Print(fmt::format("{} is silenced no more in {}\n", options.alert, fmt::join(told, ", ")))) {
    return kFailed;
  }
  return TellGaps(gaps);
}

void AddWhere(Command& command, const std::shared_ptr<SilenceOptions>& options) {
  command.AddOption({.name = "--dc",
                     .value = &options->data_center,
                     .help = "Of this data center alone",
                     .type = "NAME"});
  AddStateOption(command, options->state_directory);
}

}  // namespace

void AddSilenceCommands(Command& alerts) {
  auto options = std::make_shared<SilenceOptions>();
  Command& silence =
      alerts.AddCommand("silence", "Send no notices of an alert for a while; it is still shown");
  silence.AddOption({.name = "alert",
                     .value = &options->alert,
                     .help = "Its name, such as DiskAlmostFull",
                     .required = true});
  silence.AddOption({.name = "--for",
                     .value = &options->duration,
                     .help = "For how long",
                     .type = "DURATION",
                     .default_text = "2h"});
  silence.AddOption({.name = "--comment",
                     .value = &options->comment,
                     .help = "Why, for those who look",
                     .type = "TEXT"});
  AddWhere(silence, options);
  silence.action = [options] { return MakeSilence(*options); };

  Command& silences = alerts.AddCommand("silences", "The silences that hold, or will");
  silences.AddOption({.name = "--json", .value = &options->json, .help = "As JSON"});
  AddWhere(silences, options);
  silences.action = [options] { return ShowSilences(*options); };

  Command& unsilence = alerts.AddCommand("unsilence", "End the silences of an alert");
  unsilence.AddOption({.name = "alert",
                       .value = &options->alert,
                       .help = "Its name: silences that are for it alone",
                       .required = true});
  AddWhere(unsilence, options);
  unsilence.action = [options] { return Unsilence(*options); };
}

}  // namespace meridian::cli
