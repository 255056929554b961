// The output of `meridian top`. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/top/tier_figures.hpp"

namespace meridian::cli {

struct TopTier {
  std::string name;
  std::string state;    // as in meridian status
  std::string problem;  // why there are no figures; empty: there are
  TierFigures figures = {};
};

struct TopDataCenter {
  std::string name;
  std::string state;    // as in meridian status; "down" if its agent did not answer
  std::string problem;  // why it did not answer, or what its agent says is wrong
  std::vector<TopTier> tiers = {};
};

// A table of all tiers by data center. `columns`: of the terminal, where lines are cut off; 0: they
// are not. `color`: of states and errors.
std::string TopText(const std::vector<TopDataCenter>& data_centers, size_t columns, bool color);

// An object on one line: {"time", "datacenters": [{"name", "state", "problem", "tiers": […]}]}.
// What is absent has no member. `unix_seconds`: the time of the reading.
std::string TopJson(const std::vector<TopDataCenter>& data_centers, double unix_seconds);

}  // namespace meridian::cli
