// `meridian balancer` without a site: its options, and its action.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/command/command.hpp"
#include "dispatch/config.hpp"

namespace meridian::cli {

// The options, as on the command line; RunBalancerAlone checks their texts.
struct BalancerAlone {
  std::string listen;                // ADDRESS:PORT
  std::vector<std::string> servers;  // ADDRESS:PORT each; empty: the balancer belongs to a site
  std::string health_path = "/";     // begins with /
  std::vector<std::string> forwarded_from;  // prefixes in CIDR notation, such as 192.0.2.0/24
  uint64_t max_in_flight = dispatch::Config{}.max_in_flight;
  uint64_t threads = 0;  // 0: one for each core
  uint64_t retries = static_cast<uint64_t>(dispatch::Config{}.retries);
};

// Adds the options to `command`, which exclude `dc`. `alone` must outlive the command's action.
void AddBalancerAlone(Command& command, const Option& dc, BalancerAlone& alone);

// Runs the balancer until SIGTERM or SIGINT. Returns the exit status: 2 for an option that cannot
// be parsed, 1 if the balancer cannot start, else 0.
int RunBalancerAlone(const BalancerAlone& arguments);

}  // namespace meridian::cli
