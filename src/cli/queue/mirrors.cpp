// meridian queue mirrors: where each topic's home is, and how far each data center is.
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/mirror_commands.hpp"
#include "cli/tier_answers.hpp"
#include "wire/json/value.hpp"

namespace meridian::cli {
namespace {

using wire::json::Value;

struct Arguments {
  bool json = false;
  std::string state_directory = ".meridian";
};

void Print(const TierAnswer& answer) {
  fmt::print("{}: the consumer groups are at {}\n", answer.data_center,
             answer.told.TextOf("controller"));
  if (std::string missing = answer.told.TextOf("missing_copies"); !missing.empty()) {
    fmt::print("  {}\n", missing);
  }
  for (const Value& peer : answer.told.ElementsOf("peers")) {
    fmt::print("  follows {:<14} {:<13} {} records, {:.1f} s behind; is {} by it\n",
               peer.TextOf("name"), peer.BooleanOf("connected") ? "connected" : "not connected",
               peer.WholeNumberOf("behind_records"), peer.NumberOf("behind_seconds"),
               peer.BooleanOf("follows") ? "followed" : "not followed");
    if (std::string problem = peer.TextOf("problem"); !problem.empty()) {
      fmt::print("    {}\n", problem);
    }
  }
  for (const Value& topic : answer.told.ElementsOf("topics")) {
    const auto missing = topic.WholeNumberOf("missing_messages");
    fmt::print("  {:<22} home {:<14}{}\n", topic.TextOf("name"), topic.TextOf("home"),
               missing == 0 ? "" : fmt::format(" {} messages are not mirrored here yet", missing));
  }
}

int Run(const Arguments& arguments) {
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  const std::vector<TierAnswer> all = AskTiers(*deployed, {.tier = "queue", .what = "mirrors"});
  bool answered = false;
  for (const TierAnswer& answer : all) answered |= answer.problem.empty();
  if (arguments.json) {
    fmt::print("{}\n", JsonOf(all));
    return answered ? kDone : kFailed;
  }
  for (const TierAnswer& answer : all) {
    if (answer.problem.empty()) {
      Print(answer);
    } else {
      fmt::print("{}: {}\n", answer.data_center, answer.problem);
    }
  }
  return answered ? kDone : kFailed;
}

}  // namespace

void AddMirrors(Command& queue) {
  auto arguments = std::make_shared<Arguments>();
  Command& command = queue.AddCommand(
      "mirrors", "Where each topic's home is, and how far each data center is behind the others");
  command.AddOption({.name = "--json", .value = &arguments->json, .help = "As JSON"});
  AddStateOption(command, arguments->state_directory);
  command.action = [arguments] { return Run(*arguments); };
}

}  // namespace meridian::cli
