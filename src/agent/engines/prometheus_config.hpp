// The configuration of a data center's Prometheus, from the site. Pure.
//
// It scrapes its own data center: the ops port of each tier, the agent, the engines themselves, and
// instances and workers that have metrics. The recorded aggregates of the other data centers come
// from their agents, through this one. What the application says is kept apart from what Meridian
// says: its series cannot have names of ours, or of recorded series.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/children/application_target.hpp"
#include "agent/engines/engine_files.hpp"
#include "base/ip.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"

namespace meridian::agent {

// Of which data center the configurations are.
struct EnginePlace {
  const site::Site& site;
  const site::DataCenter& here;
  site::Hosting hosting = site::Hosting::kServers;
  EngineFiles files;
};

// True if this data center has engines: site.toml has [watch] without `external`, and it is no edge
// place.
bool HasEngines(const site::Site& site, const site::DataCenter& here);

// On loopback, whatever the data center's addresses are.
Endpoint PrometheusEndpoint(const EnginePlace& place);
Endpoint AlertmanagerEndpoint(const EnginePlace& place);

// What changes in its configuration.
struct PrometheusSettings {
  std::filesystem::path rules;         // the folder with the rule files; empty: there are none
  bool alertmanager_is_ready = false;  // false: a stranger may listen at its port
  std::set<std::string> roles = {};    // the tiers that run here; empty: all
};

// The text of its file. It sends nothing to an Alertmanager that is not ready, not its password
// either.
std::string PrometheusConfig(const EnginePlace& place, const PrometheusSettings& settings);

// Arguments of the command line. The working directory must be place.files.settings().
std::vector<std::string> PrometheusArguments(const EnginePlace& place);

// The URL at which people reach an engine: `path` is kPrometheusPath or kAlertmanagerPath.
std::string EngineUrl(const EnginePlace& place, std::string_view path);

// The file of targets for file_sd.
std::string TargetsFile(const site::DataCenter& here,
                        const std::vector<ApplicationTarget>& targets);

}  // namespace meridian::agent
