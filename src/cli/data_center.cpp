// meridian dc kill|start|drain|undrain: what can happen to a data center.
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "agent/status.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/waiting.hpp"
#include "http/fetch.hpp"
#include "lab/limits.hpp"
#include "site/site.hpp"
#include "site/view.hpp"

namespace meridian::cli {
namespace {

struct Arguments {
  std::string name;
  std::string state_directory = ".meridian";
  bool wait = false;
};

struct Verb {
  const char* name;
  const char* summary;
  bool lab;          // the lab does it; else the data center's own agent
  Duration timeout;  // of the lab
  const char* done;  // {} is the data center
};

constexpr Verb kVerbs[] = {
    {"kill", "Lose it: SIGKILL for everything in it (lab only)", true, lab::kLongestKillCommand,
     "{0} is gone. Its visitors move within seconds: meridian status; and back: meridian dc start "
     "{0}\n"},
    {"start", "Start it again (lab only)", true, lab::kLongestStartCommand, "{0} serves again\n"},
    {"drain",
     "Send its visitors elsewhere, failing no request",
     false,
     {},
     "{0} is draining: it leaves the DNS answers and forwards who still comes. meridian status "
     "says when it is drained; back: meridian dc undrain {0}\n"},
    {"undrain", "Take visitors again", false, {}, "{0} serves visitors again\n"},
};

// Until a drain is complete: answers must run out everywhere, and no new visitor may come for that
// long.
constexpr Duration kMaxDrainWait = std::chrono::minutes{10};

// Waits for the end of a drain that was ordered; the exit status.
int AwaitDrained(const Deployed& deployed, const site::DataCenter& dc) {
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 250'000'000};
  SystemClock clock;
  TimePoint began = clock.Now();
  Waiting waiting = Waiting::ForStandardOutput();
  auto say = [](const std::string& text) {
    fmt::print("{}", text);
    std::fflush(stdout);
  };
  for (;;) {
    auto answer = CallAgent(deployed, dc, {.method = "GET", .path = "/.meridian/status"});
    auto status = answer ? agent::DecodeStatus(answer->body) : Fail(answer.error());
    Duration waited = clock.Now() - began;
    if (status && status->state == site::StateName(site::DataCenterState::kDraining) &&
        waited < kMaxDrainWait) {
      say(waiting.Next(dc.name +
                           " is draining until no new visitor has come for as long as answers "
                           "live",
                       waited));
      nanosleep(&kPause, nullptr);
      continue;
    }
    say(waiting.End());
    if (!status) return Complain(status.error());
    if (status->state != site::StateName(site::DataCenterState::kDrained)) {
      fmt::print(stderr, "meridian: {} is not drained after {:.0f} s: it is {}\n", dc.name,
                 Seconds(waited), status->state);
      return kFailed;
    }
    fmt::print("{} is drained\n", dc.name);
    return kDone;
  }
}

int Explain(const Verb& verb, const std::string& name, const Result<http::Fetched>& answer) {
  if (!answer && verb.lab && answer.error().code == Errc::kTimeout) {
    return Complain(answer.error());
  }
  if (!answer) {
    const char* who = verb.lab ? "no lab runs for this state directory; start one: meridian up"
                               : "its agent does not answer; what is known says meridian status";
    fmt::print(stderr, "meridian: {}: {} ({})\n", name, who, answer.error().message);
    return kFailed;
  }
  if (answer->status != 200) {
    fmt::print(stderr, "meridian: {}: {}", name, answer->body);
    return kFailed;
  }
  fmt::print(fmt::runtime(verb.done), name);
  return kDone;
}

int Run(const Verb& verb, const Arguments& arguments) {
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  const site::DataCenter* dc = deployed->site.FindDataCenter(arguments.name);
  if (dc == nullptr) return UnknownDataCenter(deployed->site, arguments.name);
  if (verb.lab) {
    std::string path = fmt::format("/dc/{}/{}", dc->name, verb.name);
    return Explain(verb, dc->name,
                   CallLab(deployed->state, {.path = path, .timeout = verb.timeout}));
  }
  std::string path = fmt::format("/.meridian/{}", verb.name);
  int status = Explain(verb, dc->name, CallAgent(*deployed, *dc, {.path = path}));
  return status == kDone && arguments.wait ? AwaitDrained(*deployed, *dc) : status;
}

}  // namespace

void AddDataCenter(Command& program) {
  Command& group = program.AddCommand("dc", "Kill, start, drain or undrain a data center");
  group.subcommands_given = {.min = 1, .max = 1};
  for (const Verb& verb : kVerbs) {
    auto arguments = std::make_shared<Arguments>();
    Command& command = group.AddCommand(verb.name, verb.summary);
    command.AddOption(
        {.name = "name", .value = &arguments->name, .help = "The data center", .required = true});
    if (std::string_view(verb.name) == "drain") {
      command.AddOption(
          {.name = "--wait", .value = &arguments->wait, .help = "Return when it is drained"});
    }
    AddStateOption(command, arguments->state_directory);
    command.action = [&verb, arguments] { return Run(verb, *arguments); };
  }
}

}  // namespace meridian::cli
