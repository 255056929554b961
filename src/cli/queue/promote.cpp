// meridian queue promote: moves homes of topics to another data center.
#include <chrono>
#include <memory>
#include <string>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/mirror_commands.hpp"
#include "http/client/fetch.hpp"
#include "site/site.hpp"

namespace meridian::cli {
namespace {

// As the agent's (kTierOrderTimeout), and the way there.
constexpr Duration kPromoteTimeout = std::chrono::seconds{60};

struct Arguments {
  std::string topic;
  std::string to;
  bool all = false;
  bool force = false;
  bool json = false;
  std::string state_directory = ".meridian";
};

int Misused(const std::string& why) {
  fmt::print(stderr, "meridian: {}\n", why);
  return kMisused;
}

int Run(const Arguments& arguments) {
  if (arguments.all == !arguments.topic.empty()) {
    return Misused("say which TOPIC, or --all for all topics and the consumer groups");
  }
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  const site::DataCenter* to = deployed->site.FindDataCenter(arguments.to);
  if (to == nullptr || to->edge_only) {
    return Misused(fmt::format("there is no data center \"{}\" with a queue", arguments.to));
  }
  std::string path = "/.meridian/tier/queue/promote?";
  path += arguments.all ? "all" : "topic=" + arguments.topic;
  if (arguments.force) path += "&force";
  Result<http::Fetched> answer =
      CallAgent(*deployed, *to, {.path = path, .timeout = kPromoteTimeout});
  if (!answer) {
    return Complain(Error{answer.error().code, fmt::format("{}: its agent does not answer ({})",
                                                           to->name, answer.error().message)});
  }
  if (answer->status != 200) {
    fmt::print(stderr, "meridian: {}: {}", to->name, answer->body);
    if (answer->status == 409 && !arguments.force) {
      fmt::print(stderr,
                 "With --force it becomes the home without them: they are lost here, and a home "
                 "that returns sets them aside.\n");
    }
    return kFailed;
  }
  if (arguments.json) {
    fmt::print("{}\n", answer->body);
  } else if (arguments.all) {
    fmt::print("{} is the home of all topics, and has the consumer groups.\n", to->name);
  } else {
    fmt::print("{} is the home of {}.\n", to->name, arguments.topic);
  }
  return kDone;
}

}  // namespace

void AddPromote(Command& queue) {
  auto arguments = std::make_shared<Arguments>();
  Command& command =
      queue.AddCommand("promote", "Make a data center the home of a topic, or of all");
  Option& topic = command.AddOption(
      {.name = "topic", .value = &arguments->topic, .help = "The topic", .type = "TOPIC"});
  command.AddOption({.name = "--all",
                     .value = &arguments->all,
                     .help = "All topics, and the consumer groups",
                     .excludes = {&topic}});
  command.AddOption({.name = "--to",
                     .value = &arguments->to,
                     .help = "The data center",
                     .type = "DC",
                     .required = true});
  command.AddOption({.name = "--force",
                     .value = &arguments->force,
                     .help = "Also if messages are known to be missing there"});
  command.AddOption({.name = "--json", .value = &arguments->json, .help = "As JSON"});
  AddStateOption(command, arguments->state_directory);
  command.action = [arguments] { return Run(*arguments); };
}

}  // namespace meridian::cli
