// meridian balancer without a site: its options, and how it runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/command/command.hpp"
#include "dispatch/config.hpp"

namespace meridian::cli {

// As the command line has them.
struct BalancerAlone {
  std::string listen;
  std::vector<std::string> servers;  // none: it belongs to a site
  std::string health_path = "/";
  std::vector<std::string> forwarded_from;
  uint64_t max_in_flight = dispatch::Config{}.max_in_flight;
  uint64_t retries = static_cast<uint64_t>(dispatch::Config{}.retries);
};

// `dc` is given where it belongs to a site. `alone` must outlive the command's action.
void AddBalancerAlone(Command& command, const Option& dc, BalancerAlone& alone);

int RunBalancerAlone(const BalancerAlone& arguments);

}  // namespace meridian::cli
