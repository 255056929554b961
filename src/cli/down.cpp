// meridian down: stops the lab.
#include <memory>
#include <string>

#include <fmt/core.h>

#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "http/client/fetch.hpp"
#include "io/file/file_lock.hpp"
#include "lab/lab.hpp"
#include "lab/limits.hpp"
#include "site/site.hpp"

namespace meridian::cli {
namespace {

int Down(const std::string& state_directory) {
  auto deployed = FindDeployed(state_directory);
  if (!deployed) return deployed.error();
  Result<http::Fetched> answer =
      CallLab(deployed->state, {.path = "/down", .timeout = lab::kMaxShortCommandTime});
  if (!answer && answer.error().code == Errc::kTimeout) return Complain(answer.error());
  if (!answer || answer->status != 200) {
    bool any = false;
    for (const site::DataCenter& dc : deployed->site.datacenters) {
      pid_t pid = deployed->state.RunHolder(dc.name);
      if (pid == 0) continue;
      any = true;
      (void)Complain(RunsByItself(dc.name, pid));
    }
    if (any) return kFailed;
    fmt::print(stderr, "meridian: nothing was up for this state directory\n");
    return kFailed;
  }
  // The lock is free when the lab's last process has ended.
  auto lock =
      io::FileLock::Acquire(deployed->state.lock(), "the lab", lab::MaxDownTime(deployed->site));
  if (!lock) return Complain(lock.error());
  fmt::print("{} is down\n", deployed->site.name);
  return kDone;
}

}  // namespace

void AddDown(Command& program) {
  auto state_directory = std::make_shared<std::string>(".meridian");
  Command& command = program.AddCommand("down", "End every data center that `up` started");
  AddStateOption(command, *state_directory);
  command.action = [state_directory] { return Down(*state_directory); };
}

}  // namespace meridian::cli
