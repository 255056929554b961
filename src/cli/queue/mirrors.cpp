// meridian queue mirrors: where each topic's home is, and how far each data center is.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/mirror_commands.hpp"
#include "http/client/fetch.hpp"
#include "site/site.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::cli {
namespace {

using wire::json::Value;

struct Arguments {
  bool json = false;
  std::string state_directory = ".meridian";
};

struct Answer {
  std::string data_center;
  std::string problem;  // empty: it has answered
  Value told;           // an object
};

Answer Ask(const Deployed& deployed, const site::DataCenter& dc) {
  Result<http::Fetched> answer =
      CallAgent(deployed, dc, {.method = "GET", .path = "/.meridian/tier/queue/mirrors"});
  if (!answer) {
    return {.data_center = dc.name,
            .problem = "it does not answer (" + answer.error().message + ")"};
  }
  Result<Value> told = wire::json::Parse(answer->body);
  if (answer->status == 200 && told && told->is_object()) {
    return {.data_center = dc.name, .told = std::move(*told)};
  }
  return {.data_center = dc.name,
          .problem = fmt::format("{} (status {})", answer->body, answer->status)};
}

void Print(const Answer& answer) {
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

std::string JsonOf(const std::vector<Answer>& all) {
  wire::json::Writer writer({.indent = 2});
  writer.BeginObject();
  writer.BeginArray("datacenters");
  for (const Answer& answer : all) {
    writer.BeginObject();
    writer.Member("datacenter", answer.data_center);
    if (!answer.problem.empty()) writer.Member("problem", answer.problem);
    for (const auto& [name, value] : answer.told.members()) writer.Member(name, value);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return writer.Take();
}

int Run(const Arguments& arguments) {
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  std::vector<Answer> all;
  for (const site::DataCenter& dc : deployed->site.datacenters) {
    if (!dc.edge_only) all.push_back(Ask(*deployed, dc));
  }
  bool answered = false;
  for (const Answer& answer : all) answered |= answer.problem.empty();
  if (arguments.json) {
    fmt::print("{}\n", JsonOf(all));
    return answered ? kDone : kFailed;
  }
  for (const Answer& answer : all) {
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
