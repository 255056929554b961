#include "cli/balancer_alone.hpp"

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "balancer/balancer.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "dispatch/limits.hpp"
#include "site/limits.hpp"

namespace meridian::cli {
namespace {

int Misuse(const char* option, const Error& error) {
  fmt::print(stderr, "meridian balancer: {}: {}\n", option, error.message);
  return kMisused;
}

}  // namespace

void AddBalancerAlone(Command& command, const Option& dc, BalancerAlone& alone) {
  Option& server = command.AddOption({.name = "--server",
                                      .value = &alone.servers,
                                      .help = "Stand alone, without a site: a server; repeat it",
                                      .type = "ADDRESS:PORT"});
  command.option_groups.push_back({.name = "where", .options = {&server, &dc}});
  Option& listen = command.AddOption({.name = "--listen",
                                      .value = &alone.listen,
                                      .help = "Listen address of a balancer without a site",
                                      .type = "ADDRESS:PORT",
                                      .needs = {&server}});
  server.needs = {&listen};
  command.AddOption({.name = "--health",
                     .value = &alone.health_path,
                     .help = "What a healthy server answers with 2xx or 3xx (/)",
                     .type = "PATH",
                     .needs = {&server}});
  command.AddOption({.name = "--max-in-flight",
                     .value = &alone.max_in_flight,
                     .help = "Requests at one server; more of them wait (1024)",
                     .range = Option::Range{1, dispatch::kMaxConnectionsPerInstance},
                     .needs = {&server}});
  command.AddOption({.name = "--threads",
                     .value = &alone.threads,
                     .help = "Threads that forward requests (one for each core)",
                     .range = Option::Range{1, site::kMaxThreads},
                     .needs = {&server}});
  command.AddOption({.name = "--retries",
                     .value = &alone.retries,
                     .help = "Further servers that a failed request may be sent to (2)",
                     .range = Option::Range{0, dispatch::kMaxRetries},
                     .needs = {&server}});
  command.AddOption({.name = "--forwarded-from",
                     .value = &alone.forwarded_from,
                     .help = "A proxy whose X-Forwarded-* fields are trusted; repeat it",
                     .type = "PREFIX",
                     .needs = {&server}});
}

int RunBalancerAlone(const BalancerAlone& arguments) {
  Result<Endpoint> listen = Endpoint::Parse(arguments.listen);
  if (!listen) return Misuse("--listen", listen.error());
  if (listen->port == 0 || listen->port > site::kMaxPublicPort) {
    return Misuse("--listen",
                  {Errc::kInvalid, fmt::format("a port is from 1 to {}: metrics are {} "
                                               "above it",
                                               site::kMaxPublicPort, site::kOpsPortOffset)});
  }
  if (!arguments.health_path.starts_with('/')) {
    return Misuse("--health", {Errc::kInvalid, "a path begins with /"});
  }
  balancer::Alone alone{.listen = *listen, .servers = {}, .health_path = arguments.health_path};
  for (const std::string& text : arguments.servers) {
    Result<Endpoint> server = Endpoint::Parse(text);
    if (!server) return Misuse("--server", server.error());
    alone.servers.push_back(*server);
  }
  for (const std::string& text : arguments.forwarded_from) {
    Result<IpPrefix> prefix = IpPrefix::Parse(text);
    if (!prefix) return Misuse("--forwarded-from", prefix.error());
    alone.config.forwarded_from.push_back(*prefix);
  }
  alone.config.max_in_flight = static_cast<uint32_t>(arguments.max_in_flight);
  if (arguments.threads > 0) alone.threads = static_cast<uint32_t>(arguments.threads);
  alone.config.retries = static_cast<int>(arguments.retries);
  ConfigureLog({.process = "balancer"});
  return balancer::RunAlone(std::move(alone));
}

}  // namespace meridian::cli
