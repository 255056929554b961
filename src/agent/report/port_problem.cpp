#include "agent/report/port_problem.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <sys/types.h>

#include "base/result.hpp"
#include "io/file/file.hpp"
#include "io/file/file_lock.hpp"
#include "io/port_owner.hpp"

namespace meridian::agent {
namespace {

namespace fs = std::filesystem;

constexpr uint16_t kFirstUnprivilegedPort = 1024;
constexpr size_t kMaxPidFileBytes = 256;

std::string ValueOf(const std::vector<std::string>& command, std::string_view option) {
  auto found = std::ranges::find(command, option);
  return found == command.end() || found + 1 == command.end() ? "" : *(found + 1);
}

// The guard's process id, from "guard 123\n…".
pid_t GuardIn(const fs::path& pid_file) {
  constexpr std::string_view kGuard = "guard ";
  std::string text = io::ReadFile(pid_file, kMaxPidFileBytes).value_or("");
  pid_t pid = 0;
  if (text.starts_with(kGuard)) {
    std::from_chars(text.data() + kGuard.size(), text.data() + text.size(), pid);
  }
  return pid;
}

// "another program. End it"
std::string OwnerAndMend(const std::optional<io::PortOwner>& owner) {
  if (!owner) return "another program. End that";
  std::string program = owner->command.empty() ? "" : fs::path(owner->command.front()).filename();
  std::string state = ValueOf(owner->command, "--state");
  std::string data_center = ValueOf(owner->command, "--dc");
  if (state.empty() || data_center.empty()) {
    return fmt::format("process {}{}. End that", owner->pid,
                       program.empty() ? "" : " (" + program + ")");
  }
  if (std::ranges::find(owner->command, "--lab") != owner->command.end()) {
    pid_t lab = io::FileLock::Holder(fs::path(state) / "lock");
    return fmt::format("the lab of {0} (process {1}). End it with: meridian down --state {0}",
                       state, lab == 0 ? owner->pid : lab);
  }
  pid_t guard = GuardIn(fs::path(state) / "pids" / data_center);
  return fmt::format("{} of {} (process {}). End it with: kill {}", data_center, state,
                     guard == 0 ? owner->pid : guard, guard == 0 ? owner->pid : guard);
}

}  // namespace

Error PortProblem(const WantedPort& port, const Error& error) {
  std::string at = port.at.ToString();
  switch (error.code) {
    case Errc::kExists:
      return {error.code,
              fmt::format("{}, for {}, is in use by {}, or give {} another port in site.toml", at,
                          port.owner, OwnerAndMend(io::OwnerOfPort(port.at, port.transport)),
                          port.table)};
    case Errc::kUnavailable:
      return {error.code,
              fmt::format("{}, for {}: this host does not have that address. In site.toml, set "
                          "the data center's address or private_address to an address of this host",
                          at, port.owner)};
    case Errc::kPermission:
      if (port.at.port >= kFirstUnprivilegedPort) return error;
      return {error.code,
              fmt::format("{}, for {}: a port below {} takes a privilege. Run Meridian as root, or "
                          "with AmbientCapabilities=CAP_NET_BIND_SERVICE in its systemd unit; or "
                          "sysctl net.ipv4.ip_unprivileged_port_start={}; or give {} another port "
                          "in site.toml",
                          at, port.owner, kFirstUnprivilegedPort, port.at.port, port.table)};
    default:
      return error;
  }
}

}  // namespace meridian::agent
