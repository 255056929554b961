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

// The process that has the port, and how to end it.
PortDiagnosis OwnerAndMend(const std::optional<io::PortOwner>& owner) {
  if (!owner) return {"another program", "End that"};
  std::string program = owner->command.empty() ? "" : fs::path(owner->command.front()).filename();
  std::string state = ValueOf(owner->command, "--state");
  std::string data_center = ValueOf(owner->command, "--dc");
  if (state.empty() || data_center.empty()) {
    return {fmt::format("process {}{}", owner->pid, program.empty() ? "" : " (" + program + ")"),
            "End that"};
  }
  if (std::ranges::find(owner->command, "--lab") != owner->command.end()) {
    pid_t lab = io::FileLock::Holder(fs::path(state) / "lock");
    return {fmt::format("the lab of {} (process {})", state, lab == 0 ? owner->pid : lab),
            "End it with: meridian down --state " + state};
  }
  pid_t guard = GuardIn(fs::path(state) / "pids" / data_center);
  if (guard == 0) guard = owner->pid;
  return {fmt::format("{} of {} (process {})", data_center, state, guard),
          fmt::format("End it with: kill {}", guard)};
}

}  // namespace

PortDiagnosis DiagnosePort(const WantedPort& port, const Error& error) {
  const std::string wanted = fmt::format("{}, for {}", port.at.ToString(), port.owner);
  switch (error.code) {
    case Errc::kExists: {
      PortDiagnosis owner = OwnerAndMend(io::OwnerOfPort(port.at, port.transport));
      return {fmt::format("{}, is in use by {}", wanted, owner.problem),
              fmt::format("{}, or give {} another port in site.toml", owner.mend, port.table)};
    }
    case Errc::kUnavailable:
      return {wanted + ": this host does not have that address",
              "In site.toml, set the data center's address or private_address to an address of "
              "this host"};
    case Errc::kPermission:
      if (port.at.port >= kFirstUnprivilegedPort) return {error.message, ""};
      return {
          fmt::format("{}: a port below {} takes a privilege", wanted, kFirstUnprivilegedPort),
          fmt::format("Run Meridian as root, or with AmbientCapabilities=CAP_NET_BIND_SERVICE in "
                      "its systemd unit; or sysctl net.ipv4.ip_unprivileged_port_start={}; or "
                      "give {} another port in site.toml",
                      port.at.port, port.table)};
    default:
      return {error.message, ""};
  }
}

Error PortProblem(const WantedPort& port, const Error& error) {
  PortDiagnosis diagnosis = DiagnosePort(port, error);
  if (diagnosis.mend.empty()) return {error.code, diagnosis.problem};
  return {error.code, diagnosis.problem + ". " + diagnosis.mend};
}

}  // namespace meridian::agent
