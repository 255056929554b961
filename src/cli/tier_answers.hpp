// What a tier of each data center says of itself at its ops port, by way of the agents: the answers
// to one GET, and all of them as one JSON document.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cli/command_line.hpp"
#include "wire/json/value.hpp"

namespace meridian::cli {

// The answer of a data center.
struct TierAnswer {
  std::string data_center;
  std::string problem;     // empty: it has answered
  wire::json::Value told;  // an object
};

struct TierQuestion {
  std::string_view tier;
  std::string_view what;  // the last part of the tier's path, with its query
  Duration timeout = {};  // for the tier's work
};

// Asks all data centers that have instances, one after another; in the order of site.toml.
std::vector<TierAnswer> AskTiers(const Deployed& deployed, const TierQuestion& question);

// {"datacenters": [{"datacenter": NAME, "problem": TEXT, members of the answer…}]}
std::string JsonOf(const std::vector<TierAnswer>& answers);

}  // namespace meridian::cli
