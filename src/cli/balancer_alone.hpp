// `meridian balancer` without a site: its options, and its action.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/command/command.hpp"
#include "dispatch/config.hpp"

namespace meridian::cli {

// The options, as on the command line.
struct BalancerAlone {
  std::string listen;
  std::vector<std::string> servers;  // empty: the balancer belongs to a site
  std::string health_path = "/";
  std::vector<std::string> forwarded_from;
  uint64_t max_in_flight = dispatch::Config{}.max_in_flight;
  uint64_t retries = static_cast<uint64_t>(dispatch::Config{}.retries);
};

// Adds the options to `command`, which exclude `dc`. `alone` must outlive the command's action.
void AddBalancerAlone(Command& command, const Option& dc, BalancerAlone& alone);

int RunBalancerAlone(const BalancerAlone& arguments);

}  // namespace meridian::cli
