// meridian dc kill|start|drain|undrain: changes the state of a data center.
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "agent/limits.hpp"
#include "agent/report/status.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/drain_wait.hpp"
#include "cli/waiting.hpp"
#include "dns/config.hpp"
#include "dns/limits.hpp"
#include "http/client/fetch.hpp"
#include "io/file/file_lock.hpp"
#include "lab/limits.hpp"
#include "site/site.hpp"

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
  bool lab;          // true: a request to the lab; false: to the data center's agent
  Duration timeout;  // of the lab
  const char* done;  // {} is the data center
};

constexpr Verb kVerbs[] = {
    {"kill", "Lose it: SIGKILL for everything in it (lab only)", true, lab::kMaxKillCommandTime,
     "{0} is gone. Its visitors move within seconds: meridian status; and back: meridian dc start "
     "{0}\n"},
    {"start", "Start it again (lab only)", true, lab::kMaxStartCommandTime, "{0} serves again\n"},
    {"drain",
     "Send its visitors elsewhere, failing no request",
     false,
     {},
     "{0} is draining: it leaves the DNS answers and forwards the requests that still come. Back: "
     "meridian dc undrain {0}\n"},
    {"undrain", "Take visitors again", false, {}, "{0} serves visitors again\n"},
};

// The name of the data center's state, from its agent.
Result<std::string> AskState(const Deployed& deployed, const site::DataCenter& dc) {
  auto answer = CallAgent(deployed, dc, {.method = "GET", .path = "/.meridian/status"});
  if (!answer) return Fail(answer.error());
  if (answer->status != 200) return Fail(Errc::kInvalid, "status {}", answer->status);
  auto status = agent::DecodeStatus(answer->body);
  if (!status) return Fail(status.error());
  return status->state;
}

Duration AnswerTtl(const Deployed& deployed) {
  bool lab = io::FileLock::Holder(deployed.state.lock()) != 0;
  return deployed.site.sections.Get<dns::Config>().ttl.value_or(lab ? dns::kLabTtl
                                                                    : dns::kDefaultTtl);
}

// Waits for the end of the drain; returns the exit status.
int AwaitDrained(const Deployed& deployed, const site::DataCenter& dc) {
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 250'000'000};
  SystemClock clock;
  TimePoint began = clock.Now();
  DrainWait wait({.name = dc.name, .answer_ttl = AnswerTtl(deployed), .grace = agent::kDrainGrace});
  Waiting waiting = Waiting::ForStandardOutput();
  auto say = [](const std::string& text) {
    fmt::print("{}", text);
    std::fflush(stdout);
  };
  for (;;) {
    Result<std::string> state = AskState(deployed, dc);
    Duration waited = clock.Now() - began;
    DrainWait::Step step = wait.OnPoll(state, waited);
    if (step.outcome == DrainWait::Outcome::kWaits) {
      say(waiting.Next(step.text, waited));
      nanosleep(&kPause, nullptr);
      continue;
    }
    say(waiting.End());
    if (step.outcome == DrainWait::Outcome::kFailed) {
      fmt::print(stderr, "meridian: {}\n", step.text);
      return kFailed;
    }
    fmt::print("{}\n", step.text);
    return kDone;
  }
}

int Explain(const Verb& verb, const std::string& name, const Result<http::Fetched>& answer) {
  if (!answer && verb.lab && answer.error().code == Errc::kTimeout) {
    return Complain(answer.error());
  }
  if (!answer) {
    const char* who = verb.lab ? "no lab runs for this state directory; start one: meridian up"
                               : "its agent does not answer; for its status: meridian status";
    fmt::print(stderr, "meridian: {}: {} ({})\n", name, who, answer.error().message);
    return kFailed;
  }
  if (answer->status != 200) {
    fmt::print(stderr, "meridian: {}: {}", name, answer->body);
    return kFailed;
  }
  fmt::print(fmt::runtime(verb.done), name);
  std::fflush(stdout);
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
  if (status != kDone || std::string_view(verb.name) != "drain") return status;
  if (arguments.wait) return AwaitDrained(*deployed, *dc);
  fmt::print("meridian status says when it is drained; to wait for that: --wait\n");
  return kDone;
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
