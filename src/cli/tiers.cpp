// The subcommand of each tier, which agents and users call.
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "cli/balancer_alone.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/queue_commands.hpp"
#include "edge/edge.hpp"
#include "site/limits.hpp"
#include "site/load/size_text.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"
#include "wire/http/uri.hpp"

namespace meridian::cli {
namespace {

struct TierArguments {
  site::TierStart start;
  std::string site_file = "site.toml";
  std::string state_directory = ".meridian";
  std::vector<std::string> sockets;  // NAME=FD
  bool lab = false;
  // Options of an edge without a site.
  std::string listen;
  std::string origin;
  std::string cache_bytes;
  std::string access_log;
  uint64_t edge_threads = 0;  // 0: one for each core
  BalancerAlone balancer;
};

int Misuse(const char* option, const Error& error) {
  fmt::print(stderr, "meridian: {}: {}\n", option, error.message);
  return kMisused;
}

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

int RunEdgeAlone(const TierArguments& arguments) {
  Result<Endpoint> listen = Endpoint::Parse(arguments.listen);
  if (!listen) return Misuse("--listen", listen.error());
  Result<wire::http::Url> url = wire::http::ParseUrl(arguments.origin);
  if (!url) return Misuse("--origin", url.error());
  Result<IpAddress> address = IpAddress::Parse(url->host == "localhost" ? "127.0.0.1" : url->host);
  if (!address) return Misuse("--origin", address.error());
  if (url->https || url->target != "/") {
    return Misuse("--origin", {Errc::kInvalid, "it is http://ADDRESS:PORT, without a path"});
  }
  edge::Alone alone{.listen = *listen,
                    .origin = {.address = *address, .port = url->port},
                    .host = url->authority(),
                    .access_log = arguments.access_log};
  if (!arguments.cache_bytes.empty()) {
    Result<uint64_t> bytes = site::ParseSize(arguments.cache_bytes);
    if (!bytes) return Misuse("--cache-bytes", bytes.error());
    alone.config.cache.bytes = *bytes;
  }
  if (arguments.edge_threads > 0) alone.threads = static_cast<uint32_t>(arguments.edge_threads);
  ConfigureLog({.process = "edge"});
  return edge::RunAlone(alone);
}

int Run(const site::TierDescription& tier, TierArguments& arguments) {
  if (!arguments.origin.empty()) return RunEdgeAlone(arguments);
  if (!arguments.balancer.servers.empty()) return RunBalancerAlone(arguments.balancer);
  site::TierStart& start = arguments.start;
  if (start.data_center.empty()) {
    return Misuse("--dc", {Errc::kInvalid, "say to which data center it belongs"});
  }
  // Tiers of an agent use the same site text as the agent.
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
  // A tier of an agent logs to a file, otherwise to standard error.
  std::string log;
  if (start.control_fd >= 0) {
    log = start.state_directory / "logs" / start.data_center / (start.tier + ".log");
  }
  ConfigureLog({.file = {.path = log, .redirect_stdio = true},
                .process = std::string(tier.name),
                .dc = start.data_center});
  return tier.run(*site, std::move(start));
}

void AddAloneOptions(Command& command, const Option& dc, TierArguments& arguments) {
  Option& origin = command.AddOption({.name = "--origin",
                                      .value = &arguments.origin,
                                      .help = "Run without a site, in front of this origin",
                                      .type = "URL"});
  command.option_groups.push_back({.name = "where", .options = {&origin, &dc}});
  Option& listen = command.AddOption({.name = "--listen",
                                      .value = &arguments.listen,
                                      .help = "Listen address of an edge without a site",
                                      .type = "ADDRESS:PORT",
                                      .needs = {&origin}});
  origin.needs = {&listen};
  command.AddOption({.name = "--cache-bytes",
                     .value = &arguments.cache_bytes,
                     .help = "The memory that it caches in (256MiB)",
                     .type = "SIZE",
                     .needs = {&origin}});
  command.AddOption({.name = "--access-log",
                     .value = &arguments.access_log,
                     .help = "A line of JSON for each request, into this file",
                     .type = "FILE",
                     .needs = {&origin}});
  command.AddOption({.name = "--threads",
                     .value = &arguments.edge_threads,
                     .help = "Threads that serve visitors (one for each core)",
                     .range = Option::Range{1, site::kMaxThreads},
                     .needs = {&origin}});
}

}  // namespace

void AddTiers(Command& program) {
  for (const site::TierDescription& tier : std::views::reverse(AllTiers())) {
    auto arguments = std::make_shared<TierArguments>();
    Command& command = program.AddCommand(std::string(tier.name), std::string(tier.summary));
    command.AddOption({.name = "--site",
                       .value = &arguments->site_file,
                       .help = "The site's file (site.toml)",
                       .type = "FILE"});
    Option& dc = command.AddOption({.name = "--dc",
                                    .value = &arguments->start.data_center,
                                    .help = "The data center it belongs to",
                                    .type = "NAME"});
    if (tier.name == "edge") {
      AddAloneOptions(command, dc, *arguments);
    } else if (tier.name == "balancer") {
      AddBalancerAlone(command, dc, arguments->balancer);
    } else if (tier.name == "session") {
      AddSessionCommands(command);
    } else if (tier.name == "queue") {
      AddQueueCommands(command);
    } else if (tier.name == "watch") {
      AddWatchCommands(command);
    } else {
      dc.required = true;
    }
    AddStateOption(command, arguments->state_directory);
    // Options that only agents use.
    command.AddOption(
        {.name = "--control-fd", .value = &arguments->start.control_fd, .hidden = true});
    command.AddOption({.name = "--socket", .value = &arguments->sockets, .hidden = true});
    command.AddOption({.name = "--lab",
                       .value = &arguments->lab,
                       .help = "As in the lab: short-lived answers, links"});
    command.action = [&tier, arguments] { return Run(tier, *arguments); };
  }
}

}  // namespace meridian::cli
