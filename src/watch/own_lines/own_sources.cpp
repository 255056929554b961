#include "watch/own_lines/own_sources.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/tier_description.hpp"
#include "watch/own_lines/limits.hpp"
#include "watch/own_lines/own_lines.hpp"

namespace meridian::watch {

std::vector<OwnSource> OwnSourcesOf(const OwnPlace& place) {
  const auto logs = place.state_directory / "logs";
  const auto folder = logs / place.here.name;
  std::vector<OwnSource> sources;
  for (const site::TierDescription& tier : place.site.tiers) {
    if (place.site.externals.contains(tier.name) && !tier.runs_with_external) continue;
    const std::string name(tier.name);
    sources.push_back({.path = folder / (name + ".log"),
                       .tier = name,
                       .processes = {name},
                       .limits = name == "watch" ? kWatchSourceLimits : kOwnSourceLimits});
  }
  sources.push_back({.path = folder / "agent.log",
                     .tier = "agent",
                     .processes = {"agent", "guard"},
                     .limits = kOwnSourceLimits,
                     .skips_output = true});
  // Of what else the agent runs beside this tier; an external one has its log elsewhere.
  if (!place.site.externals.contains("watch")) {
    for (const char* engine : {"prometheus", "alertmanager"}) {
      sources.push_back({.path = folder / fmt::format("{}.log", engine),
                         .tier = engine,
                         .limits = kOwnSourceLimits});
    }
  }
  if (place.access_log) {
    sources.push_back({.path = folder / "access.log", .tier = "edge", .name = "access"});
  }
  const auto& all = place.site.datacenters;
  const auto first = std::ranges::find(all, false, &site::DataCenter::edge_only);
  if (place.hosting == site::Hosting::kLab && first != all.end() &&
      first->name == place.here.name) {
    sources.push_back({.path = logs / "lab.log", .tier = "lab", .processes = {"lab"}});
  }
  return sources;
}

}  // namespace meridian::watch
