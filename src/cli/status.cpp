// meridian status: every data center with its tiers and instances, from their agents.
#include "agent/report/status.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <unistd.h>

#include "cli/admin_call.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "site/load/diagnostics.hpp"
#include "site/site.hpp"
#include "site/view/view.hpp"

namespace meridian::cli {
namespace {

constexpr timespec kWatchInterval{.tv_sec = 1, .tv_nsec = 0};

// Green: good. Yellow: changing. Red: down.
std::string Painted(const std::string& state, size_t width) {
  std::string padded = fmt::format("{:<{}}", state, width);
  if (!site::WantsColor(STDOUT_FILENO)) return padded;
  bool well = state == "serving" || state == "ready" || state == "healthy" || state == "external" ||
              state == "running";
  bool bad = state == "down" || state == "unhealthy" || state == "stopped" || state == "hung" ||
             state == "refusing" || state == "failing" || state == "ejected";
  return fmt::format("\x1b[{}m{}\x1b[0m", well ? 32 : bad ? 31 : 33, padded);
}

// For an instance that is healthy by its agent: how tiers use it.
std::string ShownState(const agent::InstanceStatus& instance) {
  std::string use = agent::WorstUse(instance);
  bool says_more = !use.empty() && use != site::StateName(site::InstanceUse::kUsed);
  return says_more ? use : instance.state;
}

std::string AddressAndPort(const std::string& address, uint16_t port) {
  bool v6 = address.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", address, port) : fmt::format("{}:{}", address, port);
}

// A problem may have several lines.
std::string ProblemText(const std::string& problem, size_t indent) {
  std::string text;
  std::string_view rest = problem;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    text += fmt::format("{:{}}{}\n", "", indent, line);
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  return text;
}

std::string DataCenterText(const agent::DataCenterStatus& dc) {
  constexpr size_t kStateWidth = 11;
  std::string text =
      fmt::format("\n{:<14} {} {}\n", dc.name, Painted(dc.state, kStateWidth), dc.address);
  text += ProblemText(dc.problem, 2);
  for (const agent::TierStatus& tier : dc.tiers) {
    std::string where = tier.url.empty() ? AddressAndPort(dc.address, tier.port) : tier.url;
    text += fmt::format("  {:<12} {} {:<21} {}\n", tier.name, Painted(tier.state, kStateWidth),
                        where, tier.pid == 0 ? "" : fmt::format("pid {}", tier.pid));
    text += ProblemText(tier.problem, 4);
  }
  for (const agent::TierStatus& engine : dc.engines) {
    std::string where = engine.url.empty() ? fmt::format("port {}", engine.port) : engine.url;
    text += fmt::format("  {:<12} {} {:<21} {}\n", engine.name, Painted(engine.state, kStateWidth),
                        where, engine.pid == 0 ? "" : fmt::format("pid {}", engine.pid));
    text += ProblemText(engine.problem, 4);
  }
  for (const agent::InstanceStatus& instance : dc.instances) {
    uint32_t requests = 0;
    for (const agent::TierInstanceUse& use : instance.uses) requests += use.report.in_flight;
    std::string in_flight = requests == 0 ? "" : fmt::format(", {} in flight", requests);
    text += fmt::format("  {:<12} {} {:<21} pid {}, release {}{}\n", instance.id,
                        Painted(ShownState(instance), kStateWidth), instance.address, instance.pid,
                        instance.release, in_flight);
    text += ProblemText(instance.problem, 4);
    text += ProblemText(agent::DescribeUses(instance), 4);
  }
  for (const agent::WorkerStatus& worker : dc.workers) {
    std::string what = worker.topic.empty() ? "worker" : "topic " + worker.topic;
    std::string pid = worker.pid == 0 ? "" : fmt::format("pid {}, ", worker.pid);
    text += fmt::format("  {:<12} {} {:<21} {}restarted {} times\n", worker.id,
                        Painted(worker.state, kStateWidth), what, pid, worker.restarts);
    text += ProblemText(worker.problem, 4);
  }
  return text;
}

std::string SiteText(const site::Site& site, const std::vector<agent::DataCenterStatus>& all) {
  std::string text = fmt::format("{}: {}\n", site.name, site.domain);
  for (const agent::DataCenterStatus& dc : all) text += DataCenterText(dc);
  return text;
}

// Runs until interrupted. Without a terminal it prints only changes.
[[noreturn]] void Watch(const Deployed& deployed) {
  bool terminal = isatty(STDOUT_FILENO) != 0;
  std::string shown;
  for (;;) {
    std::string text = SiteText(deployed.site, AskStatus(deployed));
    if (terminal) fmt::print("\x1b[H\x1b[2J{}", text);
    if (!terminal && text != shown) fmt::print("{}{}", shown.empty() ? "" : "\n", text);
    // The reader of the pipe may have ended.
    if (std::fflush(stdout) != 0) std::exit(kDone);  // NOLINT(concurrency-mt-unsafe): one thread
    shown = std::move(text);
    nanosleep(&kWatchInterval, nullptr);
  }
}

int Status(const std::string& state_directory, bool json, bool watch) {
  auto deployed = FindDeployed(state_directory);
  if (!deployed) return deployed.error();
  if (watch) Watch(*deployed);
  std::vector<agent::DataCenterStatus> all = AskStatus(*deployed);
  if (json) {
    fmt::print("{}", agent::EncodeSiteStatus(deployed->site.name, all));
    return kDone;
  }
  fmt::print("{}", SiteText(deployed->site, all));
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
    bool watch = false;
  };
  auto arguments = std::make_shared<Arguments>();
  Command& command = program.AddCommand("status", "How every data center is");
  Option& json =
      command.AddOption({.name = "--json", .value = &arguments->json, .help = "As JSON"});
  command.AddOption({.name = "--watch",
                     .value = &arguments->watch,
                     .help = "Again each second, until Ctrl-C",
                     .excludes = {&json}});
  AddStateOption(command, arguments->state_directory);
  command.action = [arguments] {
    return Status(arguments->state_directory, arguments->json, arguments->watch);
  };
}

}  // namespace meridian::cli
