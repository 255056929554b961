// meridian status: every data center, its tiers and instances, as their agents say.
#include "agent/status.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <unistd.h>

#include "cli/admin_call.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "site/diagnostics.hpp"

namespace meridian::cli {
namespace {

// Green for what is well, yellow for what is on its way, red for what is not there.
std::string Painted(const std::string& state, size_t width) {
  std::string padded = fmt::format("{:<{}}", state, width);
  if (!site::WantsColor(STDOUT_FILENO)) return padded;
  bool well = state == "serving" || state == "ready" || state == "healthy" || state == "external";
  bool bad = state == "down" || state == "unhealthy" || state == "stopped" || state == "hung";
  return fmt::format("\x1b[{}m{}\x1b[0m", well ? 32 : bad ? 31 : 33, padded);
}

std::string AddressAndPort(const std::string& address, uint16_t port) {
  bool v6 = address.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), address, port);
}

// A problem may have several lines.
void PrintProblem(const std::string& problem, size_t indent) {
  std::string_view rest = problem;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    fmt::print("{:{}}{}\n", "", indent, line);
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
}

void PrintDataCenter(const agent::DataCenterStatus& dc) {
  constexpr size_t kStateWidth = 11;
  fmt::print("\n{:<14} {} {}\n", dc.name, Painted(dc.state, kStateWidth), dc.address);
  PrintProblem(dc.problem, 2);
  for (const agent::TierStatus& tier : dc.tiers) {
    std::string where = tier.url.empty() ? AddressAndPort(dc.address, tier.port) : tier.url;
    fmt::print("  {:<12} {} {:<21} {}\n", tier.name, Painted(tier.state, kStateWidth), where,
               tier.pid == 0 ? "" : fmt::format("pid {}", tier.pid));
    PrintProblem(tier.problem, 4);
  }
  for (const agent::InstanceStatus& instance : dc.instances) {
    fmt::print("  {:<12} {} {:<21} pid {}, release {}\n", instance.id,
               Painted(instance.state, kStateWidth), instance.address, instance.pid,
               instance.release);
    PrintProblem(instance.problem, 4);
  }
}

int Status(const std::string& state_directory, bool json) {
  auto deployed = FindDeployed(state_directory);
  if (!deployed) return deployed.error();
  std::vector<agent::DataCenterStatus> all = AskStatus(*deployed);
  if (json) {
    fmt::print("{}", agent::EncodeSiteStatus(deployed->site.name, all));
    return kDone;
  }
  fmt::print("{}: {}\n", deployed->site.name, deployed->site.domain);
  for (const agent::DataCenterStatus& dc : all) PrintDataCenter(dc);
  bool any = std::ranges::any_of(all, [](const auto& dc) { return dc.state != "down"; });
  if (!any) {
    fmt::print(stderr, "\nNothing runs. Bring it up with: meridian up {}\n",
               deployed->site.file.string());
  }
  return kDone;
}

}  // namespace

void AddStatus(Command& program) {
  struct Arguments {
    std::string state_directory = ".meridian";
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  Command& command = program.AddCommand("status", "How every data center is");
  command.AddOption({.name = "--json", .value = &arguments->json, .help = "As JSON"});
  AddStateOption(command, arguments->state_directory);
  command.action = [arguments] { return Status(arguments->state_directory, arguments->json); };
}

}  // namespace meridian::cli
