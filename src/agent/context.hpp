// Shared by all parts of the agent: the site, this data center, and the loop. Owned by the agent's
// main; outlives the parts.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "io/net/socket.hpp"
#include "site/reach.hpp"
#include "site/secret.hpp"
#include "site/site.hpp"

namespace meridian::agent {

struct Context {
  const site::Site& site;
  const site::DataCenter& here;
  std::filesystem::path state_directory;
  std::string program;  // this program's own path, for the tiers
  site::Hosting hosting = site::Hosting::kServers;
  site::Secret watch_password = {};         // of the watch tier's port
  site::Secret prometheus_password = {};    // of its port
  site::Secret alertmanager_password = {};  // of its port
  site::Secret metrics_password = {};       // that lets Prometheus read this agent's metrics
  io::EpollDriver& driver;
  io::Loop& loop;
  io::SystemNetwork& network;
  // Environment variables for instances of the application and for workers, with the addresses of
  // the tiers that they may use.
  std::vector<std::pair<std::string, std::string>> service_variables{};
  // Further ones of a worker, by its name.
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> worker_variables{};
};

}  // namespace meridian::agent
