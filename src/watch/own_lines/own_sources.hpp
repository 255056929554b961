// The logs of Meridian's own processes that the watch tier of a data center follows. Pure; any
// thread.
#pragma once

#include <filesystem>
#include <vector>

#include "site/reach.hpp"
#include "watch/own_lines/own_lines.hpp"

namespace meridian::site {
struct DataCenter;
struct Site;
}  // namespace meridian::site

namespace meridian::watch {

struct OwnPlace {
  const site::Site& site;
  const site::DataCenter& here;
  site::Hosting hosting = site::Hosting::kServers;
  std::filesystem::path state_directory;
  bool access_log = false;  // the edge's line for each request, too
};

// Those of its tiers, of agent and guard, of Prometheus and Alertmanager, and, in the lab, of the
// lab itself: these the first data center with a watch tier has.
std::vector<OwnSource> OwnSourcesOf(const OwnPlace& place);

}  // namespace meridian::watch
