// Reads what `meridian doctor` judges of a site: what it needs of this machine, and what the agents
// of its data centers say. Blocks, up to 2 s for each data center that does not answer. Binds each
// port that should be free, for a moment, and changes nothing else.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/doctor/facts.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"

namespace meridian::cli {

struct SiteQuestion {
  const site::Site& site;
  const site::DataCenter* only = nullptr;  // the data center that runs here; null: found out
  std::optional<site::StateDir> state;     // nothing: there is none that may be used
  std::string version;                     // of this program
};

SiteFacts ReadSite(const SiteQuestion& question);

}  // namespace meridian::cli
