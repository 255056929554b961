// meridian instance restart: restarts an instance of the application without failing a request.
#include <cstddef>
#include <memory>
#include <string>

#include <fmt/core.h>

#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "http/client/fetch.hpp"
#include "site/site.hpp"

namespace meridian::cli {
namespace {

struct Arguments {
  std::string id;
  std::string state_directory = ".meridian";
};

// The data center of an instance such as "us-east-1", or of a worker's process such as
// "us-east.thumbnail-1"; null: there is none.
const site::DataCenter* DataCenterOf(const site::Site& site, const std::string& id) {
  size_t dot = id.find('.');
  std::string name = id.substr(0, dot == std::string::npos ? id.rfind('-') : dot);
  return name == id ? nullptr : site.FindDataCenter(name);
}

int Restart(const Arguments& arguments) {
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  const site::DataCenter* dc = DataCenterOf(deployed->site, arguments.id);
  if (dc == nullptr) {
    fmt::print(stderr, "meridian: there is no instance \"{}\"; meridian status lists them\n",
               arguments.id);
    return kMisused;
  }
  std::string path = fmt::format("/.meridian/restart/{}", arguments.id);
  Result<http::Fetched> answer = CallAgent(*deployed, *dc, {.path = path});
  if (!answer) {
    fmt::print(stderr, "meridian: {}: its agent does not answer ({})\n", dc->name,
               answer.error().message);
    return kFailed;
  }
  if (answer->status != 200) {
    fmt::print(stderr, "meridian: {}: {}", arguments.id, answer->body);
    return kFailed;
  }
  bool is_worker = arguments.id.find('.') != std::string::npos;
  fmt::print("{} {}, and starts again: meridian status\n", arguments.id,
             is_worker ? "gets SIGTERM" : "finishes its requests");
  return kDone;
}

}  // namespace

void AddInstance(Command& program) {
  Command& group =
      program.AddCommand("instance", "Restart an instance of the application, or a worker");
  group.subcommands_given = {.min = 1, .max = 1};
  auto arguments = std::make_shared<Arguments>();
  Command& command = group.AddCommand("restart", "Restart it without failing a request");
  command.AddOption({.name = "id",
                     .value = &arguments->id,
                     .help = "The instance, such as us-east-1, or us-east.thumbnail-1 of a worker",
                     .required = true});
  AddStateOption(command, arguments->state_directory);
  command.action = [arguments] { return Restart(*arguments); };
}

}  // namespace meridian::cli
