// meridian dns, edge, balancer, session: one tier by itself, or as the agent starts it.
#include <charconv>
#include <cstddef>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "balancer/balancer.hpp"
#include "base/log.hpp"
#include "cli/command_line.hpp"
#include "dns/server.hpp"
#include "edge/edge.hpp"
#include "session/session.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier_process.hpp"

namespace meridian::cli {
namespace {

using RunTier = int (*)(const site::Site&, site::TierStart);

struct Tier {
  const char* name;
  const char* summary;
  RunTier run;
};

constexpr Tier kTiers[] = {
    {"dns", "The dns tier of a data center, by itself", &dns::Run},
    {"edge", "The edge tier of a data center, by itself", &edge::Run},
    {"balancer", "The balancer tier of a data center, by itself", &balancer::Run},
    {"session", "The session tier of a data center, by itself", &session::Run},
};

struct TierArguments {
  site::TierStart start;
  std::string site_file = "site.toml";
  std::string state_directory = ".meridian";
  std::vector<std::string> sockets;  // NAME=FD
  bool lab = false;
};

bool ParseSockets(TierArguments& arguments) {
  for (const std::string& text : arguments.sockets) {
    size_t equals = text.find('=');
    int fd = -1;
    const char* end = text.data() + text.size();
    if (equals == text.npos || std::from_chars(text.data() + equals + 1, end, fd).ptr != end ||
        fd < 0) {
      return false;
    }
    arguments.start.sockets[text.substr(0, equals)] = fd;
  }
  return true;
}

int Run(const Tier& tier, TierArguments& arguments) {
  site::TierStart& start = arguments.start;
  // The agent's tiers go by what it goes by.
  std::expected<site::Site, int> site = std::unexpected(kFailed);
  if (start.control_fd >= 0) {
    auto deployed = FindDeployed(arguments.state_directory);
    if (!deployed) return deployed.error();
    site = std::move(deployed->site);
  } else {
    site = LoadSite(arguments.site_file);
  }
  if (!site) return site.error();
  if (site->FindDataCenter(start.data_center) == nullptr) {
    fmt::print(stderr, "meridian: there is no data center \"{}\" in {}\n", start.data_center,
               site->file.string());
    return kMisused;
  }
  if (!ParseSockets(arguments)) {
    fmt::print(stderr, "meridian: --socket is NAME=DESCRIPTOR\n");
    return kMisused;
  }
  start.tier = tier.name;
  if (arguments.lab) start.hosting = site::Hosting::kLab;
  start.site_file = site->file;
  start.state_directory = std::filesystem::absolute(arguments.state_directory);
  // What an agent runs writes to a file; what somebody started, where that was.
  std::string log;
  if (start.control_fd >= 0) {
    log = start.state_directory / "logs" / start.data_center / (start.tier + ".log");
  }
  ConfigureLog(
      {.file = {.path = log, .take_output = true}, .process = tier.name, .dc = start.data_center});
  return tier.run(*site, std::move(start));
}

}  // namespace

void AddTiers(CLI::App& app, Action& action) {
  for (const Tier& tier : kTiers) {
    auto arguments = std::make_shared<TierArguments>();
    CLI::App* command = app.add_subcommand(tier.name, tier.summary);
    command->add_option("--site", arguments->site_file, "The site's file (site.toml)")
        ->type_name("FILE");
    command->add_option("--dc", arguments->start.data_center, "The data center it belongs to")
        ->type_name("NAME")
        ->required();
    AddStateOption(*command, arguments->state_directory);
    command->add_option("--control-fd", arguments->start.control_fd)->group("");
    command->add_option("--socket", arguments->sockets)->group("");
    command->add_flag("--lab", arguments->lab, "As in the lab: short-lived answers, links");
    command->callback([&tier, arguments, &action] {
      action = [&tier, arguments] { return Run(tier, *arguments); };
    });
  }
}

}  // namespace meridian::cli
