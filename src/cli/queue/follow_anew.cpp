// meridian queue follow-anew: the other data centers follow one whose disk was lost.
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/mirror_commands.hpp"
#include "cli/tier_answers.hpp"
#include "http/client/fetch.hpp"
#include "site/site.hpp"
#include "wire/json/value.hpp"

namespace meridian::cli {
namespace {

using wire::json::Value;

// As the agent's (kTierOrderTimeout), and the way there.
constexpr Duration kFollowTimeout = std::chrono::seconds{60};

struct Arguments {
  std::string data_center;
  std::string state_directory = ".meridian";
};

// What the queue says of its link to the data center; null: there is no such link.
const Value* FindPeer(const TierAnswer& answer, std::string_view data_center) {
  for (const Value& peer : answer.told.ElementsOf("peers")) {
    if (peer.TextOf("name") == data_center) return &peer;
  }
  return nullptr;
}

// What happened, for people; an error: it does not follow anew.
Result<std::string> FollowAt(const Deployed& deployed, const TierAnswer& at,
                             const std::string& data_center) {
  if (!at.problem.empty()) return Fail(Errc::kUnavailable, "{}", at.problem);
  const Value* peer = FindPeer(at, data_center);
  if (peer == nullptr) return Fail(Errc::kInvalid, "it does not follow {}", data_center);
  if (!peer->BooleanOf("other_journal")) {
    if (peer->BooleanOf("connected")) return fmt::format("follows {} already", data_center);
    return Fail(Errc::kUnavailable,
                "it does not refuse the journal of {}, but is not connected to it either: start "
                "{} and try again",
                data_center, data_center);
  }
  const site::DataCenter* here = deployed.site.FindDataCenter(at.data_center);
  Result<http::Fetched> answer =
      CallAgent(deployed, *here,
                {.path = "/.meridian/tier/queue/follow-anew?datacenter=" + data_center,
                 .timeout = kFollowTimeout});
  if (!answer) return Fail(Errc::kUnavailable, "its agent: {}", answer.error().message);
  if (answer->status == 200) return fmt::format("follows {} from the beginning", data_center);
  std::string why = answer->body.substr(0, answer->body.find('\n'));
  return Fail(Errc::kInvalid, "{}", why);
}

int Run(const Arguments& arguments) {
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  const site::DataCenter* lost = deployed->site.FindDataCenter(arguments.data_center);
  if (lost == nullptr || lost->edge_only) {
    fmt::print(stderr, "meridian: there is no data center \"{}\" with a queue\n",
               arguments.data_center);
    return kMisused;
  }
  int exit_status = kDone;
  for (const TierAnswer& at : AskTiers(*deployed, {.tier = "queue", .what = "mirrors"})) {
    if (at.data_center == lost->name) continue;
    Result<std::string> done = FollowAt(*deployed, at, lost->name);
    if (done) {
      fmt::print("{}: {}\n", at.data_center, *done);
    } else {
      fmt::print(stderr, "meridian: {}: {}\n", at.data_center, done.error().message);
      exit_status = kFailed;
    }
  }
  return exit_status;
}

}  // namespace

void AddFollowAnew(Command& queue) {
  auto arguments = std::make_shared<Arguments>();
  Command& command =
      queue.AddCommand("follow-anew", "Have the others follow a data center whose disk was lost");
  command.AddOption({.name = "datacenter",
                     .value = &arguments->data_center,
                     .help = "Where the disk was lost",
                     .type = "DC",
                     .required = true});
  AddStateOption(command, arguments->state_directory);
  command.action = [arguments] { return Run(*arguments); };
}

}  // namespace meridian::cli
