// The configuration of a data center's Alertmanager, from the site. Pure.
//
// Alerts have the labels of Prometheus: `alertname`, `dc`, and `scope="site"` on those that every
// data center raises because they concern the whole site. Each data center sends the notices of its
// own alerts; those of the site are sent by one (notice_owner.hpp), and dropped elsewhere.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/engines/prometheus_config.hpp"
#include "watch/config.hpp"

namespace meridian::agent {

// The value of an environment variable, or nothing.
using FindVariable = std::optional<std::string> (*)(const std::string& name);

struct ResolvedNotices {
  watch::Notices notices;  // values in place of the names of variables
  // For people: what is left out, and why; empty: nothing.
  std::string problem;
  // The values of the variables.
  std::vector<std::string> secrets = {};
};

// Reads the variables that `notices` names. A receiver whose variable is missing or holds no URL is
// left out.
ResolvedNotices ResolveNotices(const watch::Notices& notices, FindVariable variable);

// The text of its file.
std::string AlertmanagerConfig(const watch::Notices& notices, bool owns_site_notices);

// Arguments of the command line.
std::vector<std::string> AlertmanagerArguments(const EnginePlace& place);

}  // namespace meridian::agent
