// Runs the process of an agent.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "site/reach.hpp"
#include "site/secret.hpp"
#include "site/site.hpp"

namespace meridian::agent {

struct RunOptions {
  std::string data_center;
  std::filesystem::path state_directory;
  std::string program;
  std::set<std::string> roles;  // empty: all
  Duration answer_ttl;
  site::Secret token;
  int report_fd = -1;  // descriptor for the startup report; -1: errors go to standard error
  site::Hosting hosting = site::Hosting::kServers;
  // See Context.
  std::vector<std::pair<std::string, std::string>> service_variables{};
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> worker_variables{};
};

// Runs until SIGTERM, SIGINT or the guard's end, and returns the exit status. Ends every descendant
// before it returns.
int RunAgent(const site::Site& site, const RunOptions& options);

}  // namespace meridian::agent
