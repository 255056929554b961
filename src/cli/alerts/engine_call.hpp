// Calls of `meridian alerts` to the Prometheus and the Alertmanager of data centers, which their
// agents forward. Each function runs a loop of its own and blocks until all have answered.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/command_line.hpp"
#include "site/site.hpp"

namespace meridian::cli {

struct EngineCall {
  const site::DataCenter* data_center = nullptr;
  std::string_view engine;  // for people: "Prometheus"
  std::string_view method = "GET";
  std::string path = {};  // with its query
  std::string body = {};  // JSON; empty: none
};

// The bodies of the answers, in the order of the calls, which are made at the same time. An error
// says in a sentence what does not answer; it is kNotFound where the agent itself does not.
std::vector<Result<std::string>> CallEngines(const Deployed& deployed,
                                             std::span<const EngineCall> calls);

// A site with Prometheus and Alertmanager, and its data centers that are meant.
struct WatchedSite {
  Deployed deployed;
  std::vector<site::DataCenter> data_centers;
};

// `data_center`: the only one that is meant; empty: all but edge places, which have no engines.
// Prints the reason why there is no such site; the error is the exit status.
std::expected<WatchedSite, int> FindWatchedSite(const std::string& state_directory,
                                                const std::string& data_center);

}  // namespace meridian::cli
